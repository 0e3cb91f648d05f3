import { type Command, Redis } from 'ioredis';

/** What ioredis sends by itself when it has connected again. */
const SENT_BY_ITSELF: ReadonlySet<string> = new Set(['select', 'subscribe', 'psubscribe', 'ssubscribe']);

/**
 * An ioredis connection whose own commands after a reconnect may fail. ioredis 6 (`readyHandler`) looks at no result of
 * theirs, so that one which the connection's end overtakes is an unhandled rejection and ends the process. A caller of
 * these commands gets their errors as ever.
 */
export class ReconnectingRedis extends Redis {
  #isReconnecting = false;

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
    return super.sendCommand(...sent);
  }
}
