import { type Attack, inGroups, NOT_ALLOWED, ONLY_TRACED } from './attack.js';

/** What programs on the way could be misled by. `$MINE` holds Perl modules and scripts that leave a mark. */
const SETTINGS = [
  'PERL5OPT=-Mevil',
  'PERL5LIB=$MINE',
  'PERLLIB=$MINE',
  'PERL5DB=system("id")',
  'PERL_UNICODE=63',
  'PERLIO=:crlf',
  'LD_PRELOAD=$MINE/x.so',
  'LD_LIBRARY_PATH=$MINE',
  'LD_AUDIT=$MINE/x.so',
  'GCONV_PATH=$MINE',
  'LOCPATH=$MINE',
  'LC_ALL=../../$MINE',
  'PATH=$MINE:/usr/bin:/bin',
  'IFS=/',
  'ENV=$MINE/env',
  'BASH_ENV=$MINE/env',
  'SHELL=$MINE/sh',
  'HOME=$MINE',
  'TMPDIR=$MINE',
  'NODE_OPTIONS=--require=$MINE/x.js',
  'BPFTRACE_BTF=$MINE/btf',
  'BPFTRACE_VMLINUX=/etc/shadow',
  'BPFTRACE_KERNEL_SOURCE=$MINE',
  'BPFTRACE_STRLEN=999999',
  'SUDO_ASKPASS=$MINE/askpass',
  'SUDO_EDITOR=$MINE/sh',
];

/** In a shell's words: the folder's name is filled in, and nothing else. */
function exported(setting: string): string {
  const [name, ...value] = setting.split('=');
  return `export ${name}="${value.join('=').replaceAll('"', '\\"')}"`;
}

/** Against sudo's rule: another command, other arguments, another environment. */
export const THROUGH_SUDO: readonly Attack[] = [
  { name: 'an argument', command: '$SUDO $HELPER --unsafe', outcome: NOT_ALLOWED },
  { name: 'an empty argument', command: "$SUDO $HELPER ''", outcome: NOT_ALLOWED },
  { name: 'a double dash', command: '$SUDO $HELPER --', outcome: NOT_ALLOWED },
  { name: 'perl with the helper as its script', command: '$SUDO perl $HELPER', outcome: NOT_ALLOWED },
  { name: 'perl with code', command: "$SUDO perl -e 'print $>'", outcome: NOT_ALLOWED },
  { name: 'bpftrace itself', command: '$SUDO bpftrace -e "BEGIN { exit(); }"', outcome: NOT_ALLOWED },
  { name: 'a shell', command: '$SUDO -s id', outcome: NOT_ALLOWED },
  { name: 'a login shell', command: '$SUDO -i id', outcome: NOT_ALLOWED },
  { name: 'editing the helper', command: '$SUDO -e $HELPER', outcome: NOT_ALLOWED },
  {
    name: 'editing the rule',
    command: 'EDITOR=true $SUDO -e /etc/sudoers.d/bpftrace-mcp-helper',
    outcome: NOT_ALLOWED,
  },
  { name: 'as another user', command: '$SUDO -u nobody $HELPER', outcome: NOT_ALLOWED },
  { name: 'with another group', command: '$SUDO -g daemon $HELPER', outcome: NOT_ALLOWED },
  {
    name: 'the same file by another path',
    command: '$SUDO /usr/local/libexec/../libexec/bpftrace-mcp-helper',
    outcome: /"traced\\n"|not allowed/,
  },
  {
    name: 'a symbolic link to it',
    command: 'ln -sf $HELPER $MINE/link && $SUDO $MINE/link',
    outcome: NOT_ALLOWED,
  },
  { name: 'a copy of it', command: 'cp $HELPER $MINE/copy && $SUDO $MINE/copy', outcome: NOT_ALLOWED },
  {
    name: 'a hard link to it',
    command: 'ln $HELPER $MINE/hard || echo unable; $SUDO $MINE/hard',
    outcome: NOT_ALLOWED,
  },
  {
    name: 'a file of that name first on PATH',
    command:
      'printf "#!/bin/sh\\nid\\n" > $MINE/bpftrace-mcp-helper; chmod +x $MINE/bpftrace-mcp-helper; PATH=$MINE:$PATH $SUDO bpftrace-mcp-helper',
    outcome: NOT_ALLOWED,
  },
  { name: 'keeping the environment', command: '$SUDO -E $HELPER', outcome: /not allowed|sorry|"traced\\n"/ },
  { name: 'setting a variable', command: '$SUDO LD_PRELOAD=/tmp/x.so $HELPER', outcome: /not allowed|sorry/ },
  { name: 'setting PERL5OPT', command: '$SUDO PERL5OPT=-Mevil $HELPER', outcome: /not allowed|sorry/ },
  { name: 'another working directory', command: '$SUDO -D /root $HELPER', outcome: NOT_ALLOWED },
  { name: 'another root', command: '$SUDO -R $MINE $HELPER', outcome: NOT_ALLOWED },
  { name: 'keeping descriptors', command: '$SUDO -C 200 $HELPER', outcome: /not permitted|not allowed/ },
  {
    name: 'on another host',
    command: '$SUDO -h elsewhere $HELPER',
    outcome: /only be specified|may not|not allowed|password|"traced\\n"/,
  },
  {
    name: 'replacing the helper',
    command: 'echo x > $HELPER; mv $MINE $HELPER; rm -f $HELPER; $SUDO $HELPER',
    outcome: ONLY_TRACED,
  },
  {
    name: 'replacing its folder',
    command: 'mv /usr/local/libexec /usr/local/mine; rm -r /usr/local/libexec; $SUDO $HELPER',
    outcome: ONLY_TRACED,
  },
  {
    name: 'reading the rule',
    command: 'cat /etc/sudoers.d/bpftrace-mcp-helper',
    outcome: /Permission denied/,
  },
  {
    name: 'taking the folder of its locks',
    command: 'rm -rf /run/bpftrace-mcp-helper; ln -s $MINE /run/bpftrace-mcp-helper; $SUDO $HELPER',
    outcome: ONLY_TRACED,
  },
  ...inGroups(SETTINGS, 9).map(settings => ({
    name: `with ${settings.join(', ')}`,
    command: `${settings.map(exported).join('; ')}; sudo -n "$HELPER"`,
    outcome: ONLY_TRACED,
  })),
];
