/** How people ask for what the kernel has other names for. */

/** Among equally good matches the more stable and cheaper kind of probe comes first. */
export const PROVIDER_WEIGHTS: Record<string, number> = {
  tracepoint: 1,
  usdt: 1,
  uprobe: 1,
  uretprobe: 1,
  software: 0.92,
  hardware: 0.92,
  iter: 0.85,
  fentry: 0.82,
  fexit: 0.8,
  kfunc: 0.82,
  kretfunc: 0.8,
  kprobe: 0.8,
  kretprobe: 0.78,
  rawtracepoint: 0.75,
};

/** The end of a call tells less than its beginning; variants for old programs are rarely meant. */
export const LESS_LIKELY = /:sys_exit_|_compat|_old|_legacy|32_|_time32|__/;

/** Tracepoints of the kernel's core; those of one file system, driver or processor are asked for by its name. */
export const COMMON_GROUPS =
  /^tracepoint:(?:syscalls|raw_syscalls|sched|block|tcp|sock|skb|net|udp|oom|signal|irq|exceptions|kmem|vmscan|writeback|lock|task|filemap|timer|workqueue|power):/;

/** Words that ask but do not name. */
export const STOP_WORDS = new Set(
  `a an and any are as at be been being by can cause causes causing count do does event events fast fire fires for from
  function functions get gets go goes happen happens has have he high how i if in is it its keep keeps kernel large last
  latency list long look make makes many me most much my of often on one or our out probe probes see seen sees show shows
  slow so some such than that the their them there these they thing things this time times to too trace tracing use used
  uses very was watch what when where which who whom whose why will with you your no not hook hooks find want wants all
  system linux run running per each doing done using too`.split(/\s+/),
);

/** Other words for a word. Forms of the same word (plural, -ing, -ed) are found without. */
export const WORD_FORMS: Record<string, readonly string[]> = {
  allocation: ['alloc', 'kmalloc'],
  allocate: ['alloc', 'kmalloc'],
  network: ['net', 'skb', 'napi', 'inet'],
  packet: ['skb', 'net', 'xmit'],
  socket: ['sock', 'inet'],
  disk: ['block', 'bio', 'scsi', 'nvme', 'ata'],
  io: ['block', 'bio'],
  storage: ['block', 'bio', 'scsi', 'nvme'],
  request: ['rq'],
  interrupt: ['irq'],
  memory: ['mem', 'mm', 'kmem'],
  process: ['task', 'sched'],
  thread: ['task', 'clone'],
  task: ['process'],
  scheduler: ['sched'],
  schedule: ['sched'],
  syscall: ['syscalls', 'sys'],
  retransmission: ['retransmit', 'retrans'],
  retransmit: ['retrans'],
  retry: ['retransmit'],
  resend: ['retransmit'],
  execute: ['exec', 'execve'],
  execution: ['exec', 'execve'],
  spawn: ['exec', 'fork', 'clone'],
  delete: ['unlink', 'unlinkat', 'rmdir'],
  remove: ['unlink', 'unlinkat', 'rmdir'],
  directory: ['dir'],
  folder: ['dir'],
  filesystem: ['vfs', 'ext4', 'xfs', 'btrfs', 'filemap', 'writeback'],
  fs: ['vfs', 'ext4', 'xfs', 'btrfs'],
  send: ['sendto', 'sendmsg', 'xmit'],
  receive: ['recvfrom', 'recvmsg', 'rcv', 'recv'],
  transmit: ['xmit'],
  drop: ['drop', 'kfree'],
  lock: ['mutex', 'futex', 'contention'],
  wait: ['wait', 'waiting', 'blocked'],
  wake: ['wakeup', 'waking'],
  signal: ['kill'],
  sigkill: ['kill', 'signal'],
  sigterm: ['kill', 'signal'],
  exit: ['exit', 'free'],
  terminate: ['exit', 'kill'],
  crash: ['signal', 'coredump'],
  permission: ['capable', 'access'],
  frequency: ['freq'],
  reclaim: ['vmscan', 'reclaim'],
  container: ['cgroup'],
  vm: ['kvm', 'vmscan'],
  dns: ['udp'],
};

export interface Concept {
  /** All of these words, in any form, are in the question. */
  when: readonly string[];
  /** What is meant, the best first; those a host doesn't have are passed over. */
  probes: readonly string[];
}

const concept = (when: string, ...probes: string[]): Concept => ({ when: when.split(' '), probes });
const enter = (...calls: string[]): string[] => calls.map(call => `tracepoint:syscalls:sys_enter_${call}`);
const RETRANSMIT = [
  'tracepoint:tcp:tcp_retransmit_skb',
  'kprobe:tcp_retransmit_skb',
  'tracepoint:tcp:tcp_retransmit_synack',
];
const DISK = [
  'tracepoint:block:block_rq_issue',
  'tracepoint:block:block_rq_complete',
  'tracepoint:block:block_io_start',
  'tracepoint:block:block_io_done',
];
const OOM = ['tracepoint:oom:mark_victim', 'kprobe:oom_kill_process', 'tracepoint:oom:oom_score_adj_update'];
const FORK = [
  'tracepoint:sched:sched_process_fork',
  'tracepoint:task:task_newtask',
  ...enter('clone', 'clone3', 'fork'),
];
const EXEC = ['tracepoint:sched:sched_process_exec', ...enter('execve', 'execveat')];
const CONNECT = [...enter('connect'), 'tracepoint:sock:inet_sock_set_state', 'kprobe:tcp_v4_connect'];
const SWITCH = ['tracepoint:sched:sched_switch', 'software:context-switches:'];
const OPEN = enter('openat', 'open', 'openat2');
const DROP = ['tracepoint:skb:kfree_skb', 'kprobe:kfree_skb_reason'];
const FAULT = [
  'tracepoint:exceptions:page_fault_user',
  'software:page-faults:',
  'tracepoint:exceptions:page_fault_kernel',
  'software:major-faults:',
  'kprobe:handle_mm_fault',
];
const WAKE = [
  'tracepoint:sched:sched_wakeup',
  'tracepoint:sched:sched_switch',
  'tracepoint:sched:sched_wakeup_new',
];
const LOCK = ['tracepoint:lock:contention_begin', ...enter('futex'), 'tracepoint:lock:contention_end'];
const WAITING = [
  'tracepoint:sched:sched_switch',
  'tracepoint:lock:contention_begin',
  ...enter('futex', 'epoll_wait'),
];
const RECLAIM = [
  'tracepoint:vmscan:mm_vmscan_direct_reclaim_begin',
  'tracepoint:vmscan:mm_vmscan_direct_reclaim_end',
  'tracepoint:vmscan:mm_vmscan_kswapd_wake',
];
const SIGNAL = [
  'tracepoint:signal:signal_generate',
  ...enter('kill', 'tgkill'),
  'tracepoint:signal:signal_deliver',
];

/** Those of more words first: each word of a question is used once. */
export const CONCEPTS: readonly Concept[] = [
  concept('tcp retransmit', ...RETRANSMIT),
  concept('tcp retransmission', ...RETRANSMIT),
  concept('tcp state', 'tracepoint:sock:inet_sock_set_state', 'kprobe:tcp_set_state'),
  concept('tcp connect', 'tracepoint:sock:inet_sock_set_state', ...enter('connect'), 'kprobe:tcp_v4_connect'),
  concept(
    'tcp connection',
    'tracepoint:sock:inet_sock_set_state',
    ...enter('connect'),
    'kprobe:tcp_v4_connect',
  ),
  concept('tcp reset', 'tracepoint:tcp:tcp_send_reset', 'tracepoint:tcp:tcp_receive_reset'),
  concept('drop packet', ...DROP),
  concept('packet loss', ...DROP),
  concept('packet lost', ...DROP),
  concept('open file', ...OPEN),
  concept('read file', ...enter('read', 'pread64', 'readv'), 'kprobe:vfs_read'),
  concept('write file', ...enter('write', 'pwrite64', 'writev'), 'kprobe:vfs_write'),
  concept('delete file', ...enter('unlinkat', 'unlink')),
  concept('remove file', ...enter('unlinkat', 'unlink')),
  concept('rename file', ...enter('renameat2', 'rename', 'renameat')),
  concept('sync file', ...enter('fsync', 'fdatasync', 'sync')),
  concept('flush disk', ...enter('fsync', 'fdatasync'), 'tracepoint:block:block_rq_issue'),
  concept('disk io', ...DISK),
  concept('block io', ...DISK),
  concept('disk latency', ...DISK),
  concept('io latency', ...DISK),
  concept('context switch', ...SWITCH),
  concept('out memory', ...OOM),
  concept('oom kill', ...OOM),
  concept('page fault', ...FAULT),
  concept(
    'page cache',
    'tracepoint:filemap:mm_filemap_add_to_page_cache',
    'tracepoint:filemap:mm_filemap_delete_from_page_cache',
  ),
  concept(
    'dirty page',
    'tracepoint:writeback:writeback_dirty_folio',
    'tracepoint:writeback:writeback_written',
  ),
  concept('memory reclaim', ...RECLAIM),
  concept('direct reclaim', ...RECLAIM),
  concept('new process', ...EXEC, ...FORK),
  concept('process start', ...EXEC, ...FORK),
  concept('process created', ...FORK, ...EXEC),
  concept('process exit', 'tracepoint:sched:sched_process_exit', ...enter('exit_group', 'exit')),
  concept('process end', 'tracepoint:sched:sched_process_exit', ...enter('exit_group', 'exit')),
  concept('process die', 'tracepoint:sched:sched_process_exit', 'tracepoint:signal:signal_generate'),
  concept('run queue', ...WAKE),
  concept('scheduling delay', ...WAKE),
  concept('wake up', ...WAKE),
  concept('cpu migration', 'tracepoint:sched:sched_migrate_task', 'software:cpu-migrations:'),
  concept('cpu frequency', 'tracepoint:power:cpu_frequency'),
  concept('cpu idle', 'tracepoint:power:cpu_idle'),
  concept('cache miss', 'hardware:cache-misses:'),
  concept('off cpu', ...SWITCH),
  concept('lock contention', ...LOCK),
  concept('load module', 'tracepoint:module:module_load', ...enter('finit_module', 'init_module')),
  concept(
    'allocate memory',
    'tracepoint:kmem:kmalloc',
    'tracepoint:kmem:mm_page_alloc',
    ...enter('mmap', 'brk'),
  ),
  concept(
    'memory allocation',
    'tracepoint:kmem:kmalloc',
    'tracepoint:kmem:mm_page_alloc',
    ...enter('mmap', 'brk'),
  ),
  concept(
    'memory growth',
    ...enter('brk', 'mmap'),
    'tracepoint:kmem:mm_page_alloc',
    'tracepoint:exceptions:page_fault_user',
  ),
  concept('memory leak', ...enter('brk', 'mmap'), 'tracepoint:kmem:kmalloc', 'tracepoint:kmem:mm_page_alloc'),
  concept('change permission', ...enter('fchmodat', 'chmod', 'fchownat')),
  concept('send signal', ...SIGNAL),
  concept('short process', ...EXEC, 'tracepoint:sched:sched_process_exit'),
  concept('short lived', ...EXEC, 'tracepoint:sched:sched_process_exit'),
  concept('run short', ...EXEC, 'tracepoint:sched:sched_process_exit'),
  concept('process wait', ...WAITING),
  concept('thread wait', ...WAITING),
  concept('process block', ...WAITING),
  concept(
    'network latency',
    'tracepoint:net:net_dev_queue',
    'tracepoint:net:net_dev_xmit',
    'tracepoint:tcp:tcp_probe',
  ),
  concept('soft irq', 'tracepoint:irq:softirq_entry', 'tracepoint:irq:softirq_exit'),
  concept('retransmit', ...RETRANSMIT),
  concept('retransmission', ...RETRANSMIT),
  concept('retrans', ...RETRANSMIT),
  concept('disk', ...DISK),
  concept('oom', ...OOM),
  concept('fork', ...FORK),
  concept('exec', ...EXEC),
  concept('execute', ...EXEC),
  concept('connect', ...CONNECT),
  concept('connection', ...CONNECT, ...enter('accept4', 'accept')),
  concept('open', ...OPEN),
  concept('shortly', ...EXEC, 'tracepoint:sched:sched_process_exit'),
  concept('read', ...enter('read', 'pread64', 'readv'), 'kprobe:vfs_read'),
  concept('write', ...enter('write', 'pwrite64', 'writev'), 'kprobe:vfs_write'),
  concept('dns', ...enter('sendto', 'sendmmsg', 'recvfrom'), 'kprobe:udp_sendmsg'),
  concept('fsync', ...enter('fsync', 'fdatasync')),
  concept(
    'swap',
    'tracepoint:vmscan:mm_vmscan_write_folio',
    'kprobe:swap_readpage',
    'kprobe:swap_read_folio',
  ),
  concept('interrupt', 'tracepoint:irq:irq_handler_entry', 'tracepoint:irq:softirq_entry'),
  concept('softirq', 'tracepoint:irq:softirq_entry', 'tracepoint:irq:softirq_exit'),
  concept('kill', ...SIGNAL),
  concept('signal', ...SIGNAL),
  concept('contention', ...LOCK),
  concept('mutex', ...LOCK),
  concept('sleep', ...enter('clock_nanosleep', 'nanosleep'), 'tracepoint:sched:sched_switch'),
  concept('runqueue', ...WAKE),
  concept('wakeup', ...WAKE),
  concept('writeback', 'tracepoint:writeback:writeback_start', 'tracepoint:writeback:writeback_written'),
  concept('listen', ...enter('listen')),
  concept('accept', ...enter('accept4', 'accept')),
  concept('bind', ...enter('bind')),
  concept('mount', ...enter('mount', 'fsmount', 'umount')),
  concept('syscall', 'tracepoint:raw_syscalls:sys_enter', 'tracepoint:raw_syscalls:sys_exit'),
];
