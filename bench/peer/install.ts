import { spawnSync } from 'node:child_process';
import { PEER, PEER_ROOT, peerBinary, peerVersion } from './peer.js';

/** `npm run bench:peers`. Cargo makes it from the sources that its authors published. */
if (peerBinary() === undefined) {
  const args = ['install', PEER.crate, '--version', PEER.version, '--locked', '--root', PEER_ROOT];
  const { status, error } = spawnSync('cargo', args, { stdio: 'inherit' });
  if (error || status !== 0) {
    process.stderr.write(
      `${PEER.crate} was not installed${error ? `: ${error.message}` : ''}; it needs cargo (Rust) and the registry of crates\n`,
    );
    process.exit(1);
  }
}
process.stdout.write(`${PEER.crate} ${peerVersion()} is there\n`);
