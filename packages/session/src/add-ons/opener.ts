import type { WAMessage } from '@whiskeysockets/baileys';
import { fromOurView, type Me } from '../mapping/changes.js';
import type { PartialMessage, Unavailable } from '../mapping/unavailable.js';
import { type OpenedAddOn, readAddOn } from './contents.js';
import { decryptAddOn, isWellFormed } from './decryption.js';
import type { AddOnKind, Envelope } from './envelopes.js';
import type { KnownSecrets } from './known-secrets.js';
import type { MessageSecret } from './message-secret.js';
import { namesOf, shareName, withOtherNames } from './parties.js';

/** Only the author of a message may send these, although everyone who has the message could encrypt them. */
const OF_THE_AUTHOR: ReadonlySet<AddOnKind> = new Set(['edit', 'event-edit', 'poll-edit', 'scheduled']);

interface OpenerOptions {
  readonly known: KnownSecrets;
  readonly me: () => Me;
  /** Maps a phone number to its LID and back, as far as this session knows the pair. Sends no request. */
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
}

/** Opens add-ons: edits, reactions, comments, votes and replies that are encrypted with a secret of another message. */
export class AddOnOpener {
  readonly #options: OpenerOptions;

  constructor(options: OpenerOptions) {
    this.#options = options;
  }

  /**
   * Opens the add-on that a message carries. A message whose add-on cannot be opened stays unchanged, with the reason.
   * Rejects if Redis is out of reach.
   */
  async open(message: WAMessage, envelope: Envelope): Promise<OpenedAddOn> {
    const { kind, target } = envelope;
    const { known: secrets, me } = this.#options;
    const failed = (reason: Unavailable['reason']) => this.unopened(message, envelope, reason);
    if (kind === undefined) return failed('unsupported');
    if (!target.id || !isWellFormed(envelope)) return failed('malformed');
    const known = await secrets.find(target.id, message.key);
    if (known === undefined) return failed('unknown-message');
    const opened = await this.#decrypt(message, { ...envelope, kind }, known);
    if (typeof opened === 'string') return failed(opened);
    try {
      return readAddOn({ kind, plain: opened, message, target: known.key, me: me() });
    } catch {
      return failed('malformed');
    }
  }

  /** The message as it came, with the reason why its add-on is not opened. */
  unopened(message: WAMessage, { kind, target }: Envelope, reason: Unavailable['reason']): OpenedAddOn {
    const named = target.id ? { target: fromOurView(message.key, target, this.#options.me()) } : {};
    const unavailable: Unavailable = { type: kind ?? 'unknown', reason, ...named };
    const mapped: PartialMessage = { ...message, unavailable };
    return { message: mapped, changes: {} };
  }

  async #decrypt(
    { key }: WAMessage,
    envelope: Envelope & { readonly kind: AddOnKind },
    known: MessageSecret,
  ): Promise<Buffer | 'not-authentic' | 'not-the-author'> {
    const me = this.#options.me();
    let authors = namesOf(known.key, me);
    let senders = namesOf(key, me);
    const attempt = () => {
      const targetId = envelope.target.id ?? '';
      // The editor must be the author, even if the two keys name the person differently.
      const isOne = shareName(authors, senders);
      const all = new Set([...authors, ...senders]);
      const people = isOne ? { authors: all, senders: all } : { authors, senders };
      return decryptAddOn({ envelope, targetId, secret: known.secret, ...people });
    };
    let plain = attempt();
    if (plain === undefined || (OF_THE_AUTHOR.has(envelope.kind) && !shareName(authors, senders))) {
      const { otherNameOf } = this.#options;
      [authors, senders] = await Promise.all([
        withOtherNames(authors, otherNameOf),
        withOtherNames(senders, otherNameOf),
      ]);
      plain ??= attempt();
    }
    if (plain === undefined) return 'not-authentic';
    return OF_THE_AUTHOR.has(envelope.kind) && !shareName(authors, senders) ? 'not-the-author' : plain;
  }
}
