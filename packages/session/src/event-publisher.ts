import type { Logger } from '@wafleet/runtime';
import type { Fence, MessageSecrets, ReceivedMedia, RecentMessages } from '@wafleet/store';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { AddOnDesk } from './add-ons/add-on-desk.js';
import { mapBaileysEvents } from './mapping/index.js';
import type { MappedEvent, MappingContext } from './mapping/mapped-event.js';
import type { Outbox } from './outbox.js';

interface EventPublisherOptions {
  readonly fence: Fence;
  readonly recentMessages: RecentMessages;
  readonly messageSecrets: MessageSecrets;
  readonly receivedMedia: ReceivedMedia;
  readonly outbox: Outbox;
  /** The session as it is when events are published. */
  readonly context: () => MappingContext;
  /** The LID of a phone number, and the other way round, as far as this session has learnt it. Asks nobody. */
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  readonly logger: Logger;
}

/** Puts what Baileys emits into the outbox, as the events of the contract. What cannot be mapped is logged. */
export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #addOns: AddOnDesk;
  readonly #toldOfAccount = new Map<string, string>();

  constructor(options: EventPublisherOptions) {
    this.#options = options;
    this.#addOns = new AddOnDesk({
      ...options,
      me: () => options.context().me,
      map: (events) => this.#map(events),
    });
  }

  publish(events: Partial<BaileysEventMap>): void {
    this.#addOns.publish(events);
  }

  #map(events: Partial<BaileysEventMap>): MappedEvent[] {
    const { context, logger } = this.#options;
    const mapped = mapBaileysEvents(events, context(), (event, error) =>
      logger.error({ err: error, event }, 'an event could not be mapped'),
    );
    return mapped.filter((event) => this.#isNews(event));
  }

  /** Baileys repeats the whole credentials now and then: what clients know of them is told when some of it changes. */
  #isNews({ event, payload }: MappedEvent): boolean {
    if (event !== 'creds.update') return true;
    const changed = Object.entries(payload).filter(([field, value]) => {
      const text = JSON.stringify(value);
      if (this.#toldOfAccount.get(field) === text) return false;
      this.#toldOfAccount.set(field, text);
      return true;
    });
    return changed.length > 0;
  }
}
