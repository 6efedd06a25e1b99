import { dirname } from 'node:path';
import { type Config, flagOf, type SettingName } from '../config.js';
import { parseAddress } from '../serving.js';

/** Where the unit's socket is, unless it is said. */
export const UNIT_SOCKET = '/run/bpftrace-mcp/socket';

/** After the drain: stopping takes 5 s, what was killed 3 s, and last answers a second or two. */
const STOP_SLACK_S = 15;
const PRIVILEGED_PORTS_BELOW = 1024;

/** The part of a configuration by which the unit differs, and the flags that go on its command line. */
export interface UnitOptions {
  node: string;
  main: string;
  config: Config;
  /** As they were given. */
  flags: Partial<Record<SettingName, string>>;
}

/** With a reason each; what is left out of systemd's usual hardening has one below. */
const CAPABILITIES = [
  ['CAP_BPF', 'load programs'],
  ['CAP_PERFMON', 'attach them'],
  ['CAP_SYS_ADMIN', "uprobes and modules' functions, for which the kernel asks for no less"],
  ['CAP_SYSLOG', 'names in kernel stacks where kptr_restrict is 1'],
  ['CAP_SYS_PTRACE', 'names in stacks of processes of others'],
  ['CAP_DAC_READ_SEARCH', 'their binaries'],
] as const;

/**
 * A unit that serves many, with all the hardening that tracing bears.
 * Type=exec: Node has no datagram sockets of the Unix kind, by which systemd is told that a service is ready; so it
 * counts as started when it runs, and /readyz says the rest.
 */
export function unitOf({ node, main, config, flags }: UnitOptions): string {
  const capabilities = [
    ...CAPABILITIES.map(([name]) => name),
    ...(config.unixGroup === '' ? [] : ['CAP_CHOWN']),
    ...(usesPrivilegedPort(config) ? ['CAP_NET_BIND_SERVICE'] : []),
  ];
  const families = ['AF_UNIX', ...(config.http === '' ? [] : ['AF_INET', 'AF_INET6'])];
  const command = [
    node,
    main,
    'serve',
    ...Object.entries(flags).flatMap(([name, value]) => [`--${flagOf(name)}`, value]),
  ];
  return `[Unit]
Description=bpftrace for AI agents over the Model Context Protocol
After=network.target sys-kernel-tracing.mount
Wants=sys-kernel-tracing.mount

[Service]
Type=exec
ExecStart=${command.map(quoted).join(' ')}
ExecReload=kill -HUP $MAINPID
Restart=on-failure
# The server ends its bpftraces itself, in order; what it left after that is killed.
KillMode=mixed
TimeoutStopSec=${Math.ceil(config.drainS) + STOP_SLACK_S}
# A program that takes too much memory is no end of the others.
OOMPolicy=continue
LimitMEMLOCK=infinity
LimitNOFILE=65536
${writable(config).join('\n')}

# What tracing needs of root's rights:
${CAPABILITIES.map(([name, why]) => `#   ${name}: ${why}`).join('\n')}
CapabilityBoundingSet=${capabilities.join(' ')}
AmbientCapabilities=
NoNewPrivileges=yes
UMask=0077

# Files: binaries and /proc are read, nothing is written.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectClock=yes
ProtectHostname=yes

# System calls.
SystemCallArchitectures=native
SystemCallFilter=@system-service @pkey bpf perf_event_open
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=${families.join(' ')}
${config.http === '' ? 'IPAddressDeny=any\n' : ''}RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
KeyringMode=private
RemoveIPC=yes

# Left out, since tracing does not bear them: MemoryDenyWriteExecute (Node and bpftrace compile), ProtectKernelLogs (it
# takes CAP_SYSLOG), ProtectKernelModules (it hides the kernel's headers), ProtectProc and ProcSubset (stacks of all
# processes), PrivateUsers and DynamicUser (bpftrace 0.17 and 0.23 insist on root).

[Install]
WantedBy=multi-user.target
`;
}

function usesPrivilegedPort({ http }: Config): boolean {
  const port = parseAddress(http)?.port ?? 0;
  return port > 0 && port < PRIVILEGED_PORTS_BELOW;
}

/** The places that the server writes to; systemd makes those below /run and /var/log. */
function writable({ unix, auditLog }: Config): string[] {
  const lines: string[] = [];
  const place = (path: string, root: string, directory: string, mode: string): void => {
    const below = path.startsWith(`${root}/`) ? path.slice(root.length + 1).split('/') : [];
    const [name] = below;
    if (below.length > 1 && name) lines.push(`${directory}=${escaped(name)}`, `${directory}Mode=${mode}`);
    else lines.push(`ReadWritePaths=${quoted(dirname(path))}`);
  };
  if (unix !== '') place(unix, '/run', 'RuntimeDirectory', '0755');
  if (auditLog !== '') place(auditLog, '/var/log', 'LogsDirectory', '0700');
  return lines;
}

/** `%` begins a specifier. */
function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A word of a unit's line. */
function quoted(word: string): string {
  const plain = escaped(word);
  if (/^[\w@%+=:,./-]+$/.test(plain)) return plain;
  return `"${plain.replace(/["\\]/g, '\\$&').replaceAll('$', '$$$$')}"`;
}
