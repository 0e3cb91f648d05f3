import { register } from 'node:module';

/**
 * This module is loaded into a worker process ahead of everything (`node --import`). It lets a test use the sessions'
 * sockets for what the service has no call for, such as a reaction or a new group. The worker is the real one; only the
 * module `@whiskeysockets/baileys` is replaced by ./sockets.ts, which hands out its sockets unchanged.
 *
 * The query of this module's URL names the Unix socket to listen on: `?socket=/path`.
 */
register('./resolution.js', import.meta.url, {
  data: { socket: new URL(import.meta.url).searchParams.get('socket') },
});
