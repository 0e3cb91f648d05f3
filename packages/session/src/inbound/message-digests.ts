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

/** By which a message is known. */
export interface MessageDigests {
  /** Of the address by which the message came. This one is stored. */
  readonly own: string;
  /** Of every address by which the same message may have come before; `own` is the first. */
  readonly all: readonly string[];
  /** People in the message's key whose other id neither the stanza nor the memory has, but the store may have. */
  readonly unknown: readonly PersonId[];
}

/**
 * The digests of the key that clients see: chat, participant, whether the message is the account's own, and id. WhatsApp
 * names a person by the number or by the LID, and may change from one delivery of a message to the next, so a digest is
 * made for both. Makes no request.
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
  // Of a message in a broadcast Baileys gives the author's other id as the chat's.
  const chats = namesOf(remoteJid, isBroadcast ? undefined : remoteJidAlt);
  const participants = namesOf(participant, isBroadcast ? remoteJidAlt : key.participantAlt);
  const isOwn = key.fromMe ? 'mine' : '';
  // And it knows the account by its number only.
  const owns = isBroadcast && isAccount(participant, me) ? [isOwn, isOwn === '' ? 'mine' : ''] : [isOwn];
  const change = isJidNewsletter(remoteJid) ? changeOfPost(stanza) : [];
  const all = chats.flatMap((chat) =>
    participants.flatMap((author) => owns.map((own) => digestOfMessage([chat, author, own, id, ...change]))),
  );
  const [own] = all;
  return own === undefined ? undefined : { own, all, unknown };
}

/** A stanza's message as Baileys reads it; undefined if Baileys refuses it. */
export function decodedMessage(stanza: BinaryNode, me: Me | undefined) {
  if (me === undefined) return undefined;
  try {
    const { fullMessage, author } = decodeMessageNode(stanza, me.id, me.lid ?? '');
    return { key: fullMessage.key, author };
  } catch {
    // Baileys refuses it in the same way, and tells of it.
    return undefined;
  }
}

/** The same for the hosted devices of a person, which have servers of their own. */
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

/** What tells an edit or a deletion of a channel's post from the post: all of them have its id. */
function changeOfPost({ attrs, content }: BinaryNode): string[] {
  const nodes = Array.isArray(content) ? content : [];
  const contents = nodes.map((node) =>
    node.content instanceof Uint8Array ? Buffer.from(node.content).toString('base64') : '',
  );
  return [attrs.edit ?? '', ...contents];
}
