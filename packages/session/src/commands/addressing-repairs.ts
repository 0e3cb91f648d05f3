import type { BaileysEventMap } from '@whiskeysockets/baileys';

/** WhatsApp's code for a message whose addressing is out of date. */
const ADDRESSING = '479';

/** The messages that are sent again, should WhatsApp say that their addressing is out of date. */
export class AddressingRepairs {
  readonly #expected = new Set<string>();

  /** Returns what to call when WhatsApp has answered. */
  expect(messageId: string): () => void {
    this.#expected.add(messageId);
    return () => {
      this.#expected.delete(messageId);
    };
  }

  /** Events without the failures of these messages: clients would take them for final. */
  withoutRepaired(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    const { 'messages.update': updates, ...others } = events;
    if (updates === undefined || this.#expected.size === 0) return events;
    const kept = updates.filter(
      ({ key, update }) =>
        update.messageStubParameters?.[0] !== ADDRESSING || !this.#expected.has(key.id ?? ''),
    );
    return kept.length === 0 ? others : { ...others, 'messages.update': kept };
  }
}
