import type { Logger } from '@wafleet/runtime';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { mapBaileysEvents } from './mapping/index.js';
import type { MappedEvent, MappingContext } from './mapping/mapped-event.js';
import type { Outbox } from './outbox.js';

/** Puts what Baileys emits into the outbox, as the events of the contract. What cannot be mapped is logged. */
export class EventPublisher {
  readonly #outbox: Outbox;
  readonly #logger: Logger;
  readonly #toldOfAccount = new Map<string, string>();

  constructor({ outbox, logger }: { outbox: Outbox; logger: Logger }) {
    this.#outbox = outbox;
    this.#logger = logger;
  }

  publish(events: Partial<BaileysEventMap>, context: MappingContext): void {
    const mapped = mapBaileysEvents(events, context, (event, error) =>
      this.#logger.error({ err: error, event }, 'an event could not be mapped'),
    );
    this.#outbox.publish(mapped.filter((event) => this.#isNews(event)));
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
