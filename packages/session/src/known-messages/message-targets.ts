import { WafleetError } from '@wafleet/contract';
import { isJidGroup, jidNormalizedUser, type WAMessageKey, type WASocket } from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import { personId, userOf } from '../identity/person-id.js';
import type { KnownMessages } from './known-messages.js';

/** How a client names a message. */
interface NamedMessage {
  /** Its id. */
  readonly target: string;
  readonly chat?: string | undefined;
  readonly sender?: string | undefined;
}

/** The key of a message of one chat. */
export type TargetKey = WAMessageKey & { readonly id: string; readonly remoteJid: string };

interface MessageTargetsOptions {
  readonly known: Pick<KnownMessages, 'findKept'>;
  /** Finds the chats and people that clients name. */
  readonly recipients: { find(socket: WASocket, to: string): Promise<string> };
  readonly people: People;
}

/** Finds the messages that calls are about. */
export class MessageTargets {
  readonly #options: MessageTargetsOptions;

  constructor(options: MessageTargetsOptions) {
    this.#options = options;
  }

  /**
   * The key of a message that a client names: by its id if the session knows it. Otherwise by its chat and sender: `me`,
   * or a person. Without a sender it is the other person of the chat.
   * @throws {WafleetError} MESSAGE_NOT_FOUND if neither suffices; as `Recipients.find` does.
   */
  async find(socket: WASocket, { target, chat, sender }: NamedMessage): Promise<TargetKey> {
    const { known, recipients } = this.#options;
    const jid = chat === undefined ? undefined : await recipients.find(socket, chat);
    const kept = await known.findKept(target);
    const { remoteJid } = kept?.key ?? {};
    if (kept !== undefined && remoteJid && (jid === undefined || (await this.isSameChat(remoteJid, jid)))) {
      return this.#toKey(kept.key, remoteJid);
    }
    if (jid === undefined) {
      throw new WafleetError(
        'MESSAGE_NOT_FOUND',
        'The session does not know this message. Name its chat and sender.',
      );
    }
    if (sender === 'me') return { remoteJid: jid, id: target, fromMe: true };
    if (!isJidGroup(jid)) return { remoteJid: jid, id: target, fromMe: false };
    if (sender === undefined) {
      throw new WafleetError(
        'MESSAGE_NOT_FOUND',
        'The session does not know this message of a group. Name its sender.',
      );
    }
    const participant = await recipients.find(socket, sender);
    return { remoteJid: jid, id: target, fromMe: false, participant };
  }

  /** Whether two chats are the same: a person's chat has the number or the LID as its id. */
  async isSameChat(one: string, other: string): Promise<boolean> {
    if (one === other) return true;
    const { people } = this.#options;
    const [person, another] = [personId(one), personId(other)];
    if (person === undefined || another === undefined) return false;
    if (person.kind === another.kind) return person.user === another.user;
    if (people.needsLoading(person)) await people.load([person]);
    const id = people.otherId(person);
    return id !== undefined && userOf(id) === another.user;
  }

  /** The id of a message's author: of this account the one by which the chat names people. */
  authorOf(socket: WASocket, { remoteJid, fromMe, participant, addressingMode }: WAMessageKey): string {
    if (!fromMe) return jidNormalizedUser(participant || remoteJid || '');
    const { id = '', lid } = socket.user ?? {};
    // Groups name people by LID, as Baileys too assumes of one that does not say it.
    const kind = isJidGroup(remoteJid ?? '') ? 'lid' : personId(remoteJid)?.kind;
    const isByLid = (addressingMode ?? (kind === 'lid' ? 'lid' : 'pn')) === 'lid';
    return jidNormalizedUser(isByLid && lid ? lid : id);
  }

  #toKey({ id, fromMe, participant }: WAMessageKey & { readonly id: string }, remoteJid: string): TargetKey {
    const isOfOther = isJidGroup(remoteJid) && !fromMe && Boolean(participant);
    return {
      ...{ remoteJid, id, fromMe: fromMe === true },
      ...(isOfOther ? { participant: jidNormalizedUser(participant ?? '') } : {}),
    };
  }
}
