import { digestOfMessage } from '@wafleet/store';
import {
  type AuthenticationCreds,
  areJidsSameUser,
  type BinaryNode,
  decodeMessageNode,
  isJidBroadcast,
  isJidNewsletter,
  jidNormalizedUser,
} from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import { type PersonId, personId, toLid, toNumberId } from '../identity/person-id.js';

export type Me = NonNullable<AuthenticationCreds['me']>;

/** The digests that identify a message. */
export interface MessageDigests {
  /** The digest for the address by which the message came. This one is stored. */
  readonly own: string;
  /** The digests for every address by which the same message may have come before; `own` is the first. */
  readonly all: readonly string[];
  /** People in the message's key whose other id is neither in the stanza nor in memory, but may be in the store. */
  readonly unknown: readonly PersonId[];
}

/**
 * Returns the digests of the key that clients see: chat, participant, whether the message is the account's own, and id.
 * WhatsApp names a person by the number or by the LID, and may change this from one delivery of a message to the next,
 * so there is a digest for both. Makes no request.
 * @returns undefined for a stanza that is not a message.
 */
export function digestsOf(
  stanza: BinaryNode,
  me: Me | undefined,
  people: Pick<People, 'otherId' | 'needsLoading'>,
): MessageDigests | undefined {
  const { key } = decodedMessage(stanza, me) ?? {};
  if (me === undefined || !key?.remoteJid || !key.id) return undefined;
  const { id, remoteJid, remoteJidAlt, participant } = key;
  const isBroadcast = isJidBroadcast(remoteJid) === true;
  const unknown: PersonId[] = [];
  const namesOf = (jid: string | null | undefined, alt: string | null | undefined): readonly string[] => {
    const person = personId(jid);
    const name = jidNormalizedUser(jid ?? undefined);
    if (person === undefined) return [name];
    const other = personId(alt) ?? personId(otherOfAccount(jid, me)) ?? personId(people.otherId(person));
    if (other === undefined && people.needsLoading(person)) unknown.push(person);
    return [...new Set([nameOf(person), name, ...(other === undefined ? [] : [nameOf(other)])])];
  };
  // For a message in a broadcast, Baileys puts the author's other id into the field for the chat's other id.
  const chats = namesOf(remoteJid, isBroadcast ? undefined : remoteJidAlt);
  const participants = namesOf(participant, isBroadcast ? remoteJidAlt : key.participantAlt);
  const isOwn = key.fromMe ? 'mine' : '';
  // In a broadcast Baileys recognises the account by its number only.
  const owns = isBroadcast && isAccount(participant, me) ? [isOwn, isOwn === '' ? 'mine' : ''] : [isOwn];
  const change = isJidNewsletter(remoteJid) ? changeOfPost(stanza) : [];
  const all = chats.flatMap((chat) =>
    participants.flatMap((author) => owns.map((own) => digestOfMessage([chat, author, own, id, ...change]))),
  );
  const [own] = all;
  return own === undefined ? undefined : { own, all, unknown };
}

/** Returns a stanza's message as Baileys reads it; undefined if Baileys refuses it. */
export function decodedMessage(stanza: BinaryNode, me: Me | undefined) {
  if (me === undefined) return undefined;
  try {
    const { fullMessage, author } = decodeMessageNode(stanza, me.id, me.lid ?? '');
    return { key: fullMessage.key, author };
  } catch {
    // Baileys refuses it in the same way, and reports it.
    return undefined;
  }
}

/** Returns the same name for a person's hosted devices, which have servers of their own. */
function nameOf({ kind, user }: PersonId): string {
  return kind === 'lid' ? toLid(user) : toNumberId(user);
}

function isAccount(jid: string | null | undefined, { id, lid }: Me): boolean {
  if (!jid) return false;
  return areJidsSameUser(jid, id) || (lid !== undefined && areJidsSameUser(jid, lid));
}

function otherOfAccount(jid: string | null | undefined, me: Me): string | undefined {
  if (!isAccount(jid, me)) return undefined;
  return personId(jid)?.kind === 'lid' ? me.id : me.lid;
}

/** Returns what distinguishes an edit or a deletion of a channel's post from the post: they all have the same id. */
function changeOfPost({ attrs, content }: BinaryNode): string[] {
  const nodes = Array.isArray(content) ? content : [];
  const contents = nodes.map((node) =>
    node.content instanceof Uint8Array ? Buffer.from(node.content).toString('base64') : '',
  );
  return [attrs.edit ?? '', ...contents];
}
