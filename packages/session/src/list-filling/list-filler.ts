import type { Logger } from '@wafleet/runtime';
import type { AccountLists, EventLog, Fence } from '@wafleet/store';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { readGroups } from '../commands/group-requests/read-groups.js';
import type { WhatsAppConnection } from '../connection/whatsapp-connection.js';
import { Completion } from '../events/complete-ids.js';
import type { People } from '../identity/people.js';
import type { ListChange } from '../lists/list-changes.js';
import type { ListKeeper } from '../lists/list-keeper.js';
import type { MappedEvent, SessionCondition } from '../mapping/mapped-event.js';
import type { Outbox } from '../outbox/outbox.js';
import type { ChatFilter } from '../settings/chat-filter.js';
import { readAppState } from './read-app-state.js';

interface ListFillerOptions {
  readonly fence: Fence;
  readonly lists: ListKeeper;
  readonly accountLists: Pick<AccountLists, 'noteFilled'>;
  readonly supervisor: { readonly current: WhatsAppConnection | undefined };
  readonly statusReporter: { readonly condition: SessionCondition };
  readonly people: People;
  readonly filter: ChatFilter;
  readonly outbox: Outbox;
  readonly eventLog: Pick<EventLog, 'append'>;
  readonly logger: Logger;
}

/** How many changes an outbox takes at once. */
const CHANGES_AT_ONCE = 200;

/**
 * Fills the lists of an account once, from what its devices share and from its groups: the phone hands its chats and
 * contacts over after linking only, and the lists may be switched on later. It adds what the lists do not know, and
 * changes nothing of what they know from events. Nothing of it is published.
 */
export class ListFiller {
  readonly #options: ListFillerOptions;
  /** The connection over which it was last tried. */
  #tried: WhatsAppConnection | undefined;
  #isFilled = false;

  constructor(options: ListFillerOptions) {
    this.#options = options;
  }

  /** Handles what a connection emits: it may be open now, or the phone may have shared the keys. */
  receive(events: Partial<BaileysEventMap>): void {
    if (events['connection.update'] !== undefined || events['creds.update'] !== undefined) this.follow();
  }

  /** Looks again whether the lists were filled: they may have been switched off and on meanwhile. Never throws. */
  lookAgain(): void {
    this.#isFilled = false;
    this.#tried = undefined;
    this.follow();
  }

  /** Fills the lists if that is due and possible. Tries once for each connection. Never throws. */
  follow(): void {
    const { fence, lists, supervisor, statusReporter, outbox, eventLog, logger } = this.#options;
    if (!lists.isOn) {
      this.#isFilled = false;
      this.#tried = undefined;
      return;
    }
    const connection = supervisor.current;
    const isReady =
      statusReporter.condition.status === 'open' &&
      connection?.socket.authState.creds.myAppStateKeyId !== undefined;
    if (this.#isFilled || !isReady || connection === this.#tried) return;
    if (this.#tried === undefined) lists.reseal(outbox, (entries) => eventLog.append(fence, [], { entries }));
    this.#tried = connection;
    this.#fill(connection).catch((error: unknown) =>
      logger.warn({ err: error }, 'the lists could not be filled; the next login tries again'),
    );
  }

  async #fill(connection: WhatsAppConnection): Promise<void> {
    const { fence, lists, accountLists, outbox } = this.#options;
    if (await lists.stored.wasFilled()) {
      this.#isFilled = true;
      return;
    }
    const changes = (await this.#read(connection)).map(toPast);
    for (let start = 0; start < changes.length; start += CHANGES_AT_ONCE) {
      outbox.change(changes.slice(start, start + CHANGES_AT_ONCE));
    }
    outbox.run(async () => {
      if (lists.isOn) await accountLists.noteFilled(fence);
    });
    this.#isFilled = lists.isOn;
  }

  async #read({ socket, requestOptions }: WhatsAppConnection): Promise<readonly ListChange[]> {
    const { lists, people, filter, statusReporter } = this.#options;
    const context = { me: socket.authState.creds.me, condition: statusReporter.condition };
    const shared = await readAppState(socket, requestOptions, context);
    const groups = (await readGroups(socket)).map(({ id, subject, ephemeralDuration }) => ({
      ...{ id, subject },
      ...(ephemeralDuration === undefined ? {} : { ephemeralDuration }),
    }));
    const events: MappedEvent[] = [...shared, { event: 'groups.update', payload: { groups } }];
    const completion = new Completion(events, people);
    if (completion.unknown.length > 0) await people.load(completion.unknown);
    completion.complete();
    return filter.apply(events).flatMap((event) => lists.changesIn(event));
  }
}

/** Does not list a chat that is only known not to be archived, pinned or muted: it may have been deleted long ago. */
function toPast(change: ListChange): ListChange {
  if (change.list === 'contacts') return { ...change, isPast: true };
  const { ids, set = {}, labels } = change;
  const creates = Object.values(set).some((value) => Boolean(value)) || (labels?.added.length ?? 0) > 0;
  return { list: 'chats', ids, set, isPast: true, creates, ...(labels === undefined ? {} : { labels }) };
}
