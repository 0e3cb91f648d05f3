import { type Command, Redis } from 'ioredis';

/** What ioredis sends by itself when it has connected again. */
const SENT_BY_ITSELF: ReadonlySet<string> = new Set(['select', 'subscribe', 'psubscribe', 'ssubscribe']);

/** What ioredis sends while it connects. All of it must get through for what waits to be sent. */
const SENT_TO_CONNECT: ReadonlySet<string> = new Set([
  ...SENT_BY_ITSELF,
  ...['auth', 'client', 'hello', 'info', 'readonly'],
]);
/** How many commands may wait for a connection: many more than wait in a short outage. */
const MOST_WAITING = 10_000;

/**
 * An ioredis connection whose own commands after a reconnect may fail. ioredis 6 (`readyHandler`) looks at no result of
 * theirs, so that one which the connection's end overtakes is an unhandled rejection and ends the process. A caller of
 * these commands gets their errors as ever.
 *
 * While there is no connection at most 10,000 commands wait, since ioredis has no bound. More of them fail at once.
 */
export class ReconnectingRedis extends Redis {
  #isReconnecting = false;
  #waiting = 0;

  /**
   * ioredis asks for a reconnect at each reply that calls for one, and adds listeners to the same socket each time. One
   * chunk of replies may hold hundreds.
   */
  override disconnect(reconnect = false): void {
    if (reconnect && this.#isReconnecting) return;
    this.#isReconnecting = reconnect;
    if (reconnect) {
      this.once('close', () => {
        this.#isReconnecting = false;
      });
    }
    super.disconnect(reconnect);
  }

  override sendCommand(...sent: Parameters<Redis['sendCommand']>): unknown {
    const command: Command = sent[0];
    if (SENT_BY_ITSELF.has(command.name)) command.promise.catch(() => {});
    if (this.status !== 'ready' && !SENT_TO_CONNECT.has(command.name) && !this.#mayWait(command)) {
      // Like what ioredis gives up.
      command.reject(new Error('Connection is closed. Too many commands wait for another one.'));
      return command.promise;
    }
    return super.sendCommand(...sent);
  }

  #mayWait(command: Command): boolean {
    if (this.#waiting >= MOST_WAITING) return false;
    this.#waiting += 1;
    const settled = () => {
      this.#waiting -= 1;
    };
    command.promise.then(settled, settled);
    return true;
  }
}
