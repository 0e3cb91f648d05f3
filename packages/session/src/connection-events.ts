import type { LinkProblemCode } from '@wafleet/contract';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { SessionAccount } from './auth/session-account.js';
import type { CallRejection } from './commands/call-rejection.js';
import type { HiddenFailures } from './commands/hidden-failures.js';
import type { SessionRestrictions } from './commands/pacing/restrictions.js';
import type { ConnectionSupervisor } from './connection/connection-supervisor.js';
import type { OnlinePresence } from './connection/online-presence.js';
import type { ConnectionListener, WhatsAppConnection } from './connection/whatsapp-connection.js';
import type { EventPublisher } from './events/event-publisher.js';
import type { ListFiller } from './list-filling/list-filler.js';
import type { SessionMedia } from './media/session-media.js';
import type { LinkReporter } from './pairing/link-reporter.js';
import type { AutoRead } from './settings/auto-read.js';
import type { SessionStateMachine } from './state-machine.js';

interface ConnectionEventsOptions {
  readonly supervisor: ConnectionSupervisor;
  readonly account: SessionAccount;
  readonly media: SessionMedia;
  readonly publisher: EventPublisher;
  readonly calls: CallRejection;
  readonly online: OnlinePresence;
  readonly autoRead: AutoRead;
  readonly filler: Pick<ListFiller, 'receive'>;
  readonly stateMachine: SessionStateMachine;
  readonly linkReporter: LinkReporter;
  readonly restrictions: SessionRestrictions;
  readonly hiddenFailures: HiddenFailures;
}

/**
 * Handles what the current connection of a session emits: stores the credentials, publishes the events, and reports the
 * state of the connection. Events of earlier connections are ignored.
 */
export class ConnectionEvents implements ConnectionListener {
  readonly #options: ConnectionEventsOptions;
  #lastMessageAt = 0;

  constructor(options: ConnectionEventsOptions) {
    this.#options = options;
  }

  /** When a message was last emitted, received or sent, ms since 1970; 0 if there was none. */
  get lastMessageAt(): number {
    return this.#lastMessageAt;
  }

  receive(connection: WhatsAppConnection, emitted: Partial<BaileysEventMap>): void {
    const { supervisor, account, media, publisher, stateMachine, linkReporter } = this.#options;
    const { restrictions, hiddenFailures } = this.#options;
    if (supervisor.current !== connection) return;
    const events = hiddenFailures.without(emitted);
    const isNews = restrictions.receive(events);
    const credentials = events['creds.update'];
    const saved = credentials && account.current?.saveCreds();
    // Baileys confirms a link in this same tick. A link that is confirmed but not stored could never log in. Baileys
    // emits the whole credentials at other times too, such as at each login.
    const isNewLink = credentials?.account !== undefined && !connection.beganLinked;
    if (isNewLink && saved !== undefined) connection.holdSends(saved);
    if (events['messages.upsert'] !== undefined) this.#lastMessageAt = Date.now();
    try {
      media.keep(events);
      publisher.publish(events);
    } finally {
      // This runs even if an error occurred above: a session that misses a change of its connection is stuck.
      const update = events['connection.update'];
      if (update !== undefined && isNews) stateMachine.follow(connection, update);
      if (credentials !== undefined) linkReporter.checkSync();
    }
    this.#act(connection, events);
  }

  /** Does what the session's settings say. */
  #act(connection: WhatsAppConnection, events: Partial<BaileysEventMap>): void {
    const { supervisor, calls, online, autoRead, filler } = this.#options;
    if (supervisor.current !== connection) return;
    online.receive(connection, events);
    filler.receive(events);
    if (events.call !== undefined) calls.receive(connection.socket, events.call);
    if (events['connection.update']?.connection === 'open') autoRead.flush();
  }

  codeEntered(connection: WhatsAppConnection): void {
    this.#options.stateMachine.codeEntered(connection);
  }

  linkRefreshed(connection: WhatsAppConnection): void {
    this.#options.stateMachine.linkRefreshed(connection);
  }

  codeRefused(connection: WhatsAppConnection): void {
    this.#options.stateMachine.codeRefused(connection);
  }

  passkeyChanged(connection: WhatsAppConnection): void {
    this.#options.stateMachine.passkeyChanged(connection);
  }

  passkeyFailed(connection: WhatsAppConnection, code: LinkProblemCode, message: string): void {
    this.#options.stateMachine.passkeyFailed(connection, code, message);
  }
}
