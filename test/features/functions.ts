import { both, counts, feature, type Group, holds, printsLike, traced } from './feature.js';

const several = (min: number) => (result: { attached_probes?: number | undefined }) =>
  Number(result.attached_probes) >= min ? undefined : `attached ${result.attached_probes} probes`;

/** The kernel's functions: what a stripped kernel lacks. */
export const functions: Group = {
  name: 'functions',
  features: [
    traced('kprobe', 'kprobe:vfs_read { @[comm] = count(); }', counts()),
    traced('kretprobe', 'kretprobe:vfs_read { @ = hist(retval); }', counts()),
    traced(
      'kprobe and kretprobe in one',
      'kprobe:vfs_read { @s[tid] = nsecs; } kretprobe:vfs_read /@s[tid]/ { @ns = hist(nsecs - @s[tid]); delete(@s[tid]); }',
      counts('@ns'),
    ),
    traced('kprobe with arguments', 'kprobe:vfs_read { @ = max(arg2); }', counts()),
    traced('kprobe by offset', 'kprobe:vfs_read+0 { @ = count(); }', counts()),
    traced('kprobe, by wildcard', 'kprobe:vfs_re* { @[probe] = count(); }', both(counts(), several(2))),
    traced(
      'struct fields through a kprobe',
      'kprobe:vfs_open { $p = (struct path *)arg0; @[str($p->dentry->d_name.name)] = count(); }',
      counts(),
    ),
    traced('kstack in a kprobe', 'kprobe:vfs_read { @[kstack(3)] = count(); }', holds('@', /vfs_read\+?/)),
    traced('func in a kprobe', 'kprobe:vfs_read { @[func] = count(); }', holds('@', /vfs_read/)),
    traced('fentry', 'fentry:vfs_read { @ = max(args.count); }', counts()),
    traced('fexit', 'fexit:vfs_read { @ = stats(retval); }', counts()),
    traced('fentry with a module', 'fentry:vmlinux:vfs_read { @ = count(); }', counts()),
    traced('kfunc (older name of fentry)', 'kfunc:vfs_read { @ = count(); }', counts()),
    traced('kretfunc (older name of fexit)', 'kretfunc:vfs_read { @ = count(); }', counts()),
    traced('fentry, by wildcard', 'fentry:vfs_rea* { @[probe] = count(); }', both(counts(), several(2))),
    feature(
      'a function that does not exist',
      'kprobe:vfs_read { @ = count(); } kprobe:no_such_function { @k = count(); } interval:ms:500 { exit(); }',
      counts(),
    ),
    feature('printf in a kprobe', 'kprobe:vfs_read { printf("%s\\n", comm); exit(); }', printsLike(/^\S/)),
  ],
};
