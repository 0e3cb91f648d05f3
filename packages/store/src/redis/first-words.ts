import { connect } from 'node:net';

const WITHIN_MS = 1_000;
const LONGEST = 512;

/**
 * Returns what a server sends on a new connection without TLS, unasked or in answer to a PING, before it closes the
 * connection. Redis refuses a client this way, and client libraries only see a broken pipe. Returns undefined if
 * nothing arrives within a second. Never rejects.
 */
export function firstWords(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let words = '';
    const done = () => {
      socket.destroy();
      resolve(words === '' ? undefined : words);
    };
    socket.setTimeout(WITHIN_MS, done);
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => {
      words = (words + chunk.toString('latin1')).slice(0, LONGEST);
      if (words.includes('\n')) done();
    });
    socket.once('error', done);
    socket.once('close', done);
  });
}
