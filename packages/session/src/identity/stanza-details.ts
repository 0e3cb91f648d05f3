import {
  areJidsSameUser,
  type BaileysEvent,
  type BaileysEventMap,
  type BinaryNode,
  getAllBinaryNodeChildren,
  isJidBroadcast,
  isJidMetaAI,
  jidNormalizedUser,
  proto,
  type WACallEvent,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import { BoundedMap } from '../caches/bounded-map.js';

type Me = { readonly id: string; readonly lid?: string | undefined };
type Attrs = Readonly<Record<string, string>>;

/** How many stanzas are remembered for which Baileys has not emitted an event yet. */
const REMEMBERED = 100;
/** WhatsApp's words for why a call ended, such as `rejected_elsewhere`. */
const REASON = /^[a-z_]{1,40}$/;
/** The stanza that gives a call status of Baileys, where the names differ. */
const TAG_OF_STATUS: Readonly<Record<string, string>> = { timeout: 'terminate' };
/** In a message to a bot these would be mistaken for other ids of the account itself. */
const OTHER_IDS = ['peer_recipient_pn', 'peer_recipient_lid'];

/** Details of a call's stanza that Baileys does not report, named as in the contract. */
interface CallDetails {
  readonly reason?: string;
  readonly callerUsername?: string;
}

function callDetails({ reason, caller_username: callerUsername }: Attrs): CallDetails {
  return {
    ...(reason !== undefined && REASON.test(reason) ? { reason } : {}),
    ...(callerUsername ? { callerUsername } : {}),
  };
}

/**
 * Corrects what Baileys reads wrongly from stanzas, and adds what it does not read. It changes the events that Baileys
 * makes of the stanzas, before anything is derived from those events:
 *
 * - In a broadcast the other id is the author's, not the chat's (Utils/decode-wa-message.js), and the account is known
 *   by its LID as well.
 * - What the account writes to a bot belongs in the chat with the bot, not in the account's chat with itself.
 * - Usernames of those who write, and the author's other id in notices of groups.
 * - Why a call ended.
 */
export class StanzaDetails {
  readonly #me: () => Me | undefined;
  readonly #notices = new BoundedMap<Attrs>(REMEMBERED);
  readonly #calls = new BoundedMap<CallDetails>(REMEMBERED);
  #message: Attrs = {};

  /** Create it after everything else that listens to the socket's stanzas and wraps its events. */
  constructor({ ws, ev }: Pick<WASocket, 'ws' | 'ev'>, me: () => Me | undefined) {
    this.#me = me;
    ws.prependListener('CB:notification', ({ attrs }: BinaryNode) => {
      if (attrs.type === 'w:gp2' && attrs.id !== undefined) this.#notices.set(attrs.id, attrs);
    });
    ws.prependListener('CB:call', (stanza: BinaryNode) => {
      const [info] = getAllBinaryNodeChildren(stanza);
      const id = info?.attrs['call-id'];
      if (info && id !== undefined) this.#calls.set(`${id} ${info.tag}`, callDetails(info.attrs));
    });
    const corrections: { readonly [E in BaileysEvent]?: (data: BaileysEventMap[E]) => void } = {
      'messages.upsert': ({ messages }) => {
        for (const message of messages) {
          this.correct(message, message.key.id === this.#message.id ? this.#message : {});
        }
      },
      call: (calls) => {
        for (const call of calls) this.#correctCall(call);
      },
    };
    const emit = ev.emit.bind(ev);
    ev.emit = <E extends BaileysEvent>(event: E, data: BaileysEventMap[E]): boolean => {
      const correct: ((data: BaileysEventMap[E]) => void) | undefined = corrections[event];
      correct?.(data);
      return emit(event, data);
    };
  }

  /** Baileys receives this message now. */
  begin({ attrs }: BinaryNode): void {
    this.#message = { ...attrs };
    if (isJidMetaAI(attrs.recipient)) for (const name of OTHER_IDS) delete attrs[name];
  }

  /** Corrects a message in place, by the attributes of its stanza. */
  correct(message: WAMessage, attrs: Attrs): void {
    const { key } = message;
    const { recipient, sender_username: senderUsername } = attrs;
    if (isJidMetaAI(recipient) && key.fromMe) {
      key.remoteJid = jidNormalizedUser(recipient);
      delete key.remoteJidAlt;
    }
    if (senderUsername && !key.fromMe && !key.participant) key.remoteJidUsername ??= senderUsername;
    if (isJidBroadcast(key.remoteJid ?? undefined)) this.#correctBroadcast(message);
    const notice = this.#notices.get(key.id ?? '');
    if (notice !== undefined) completeNotice(message, notice);
  }

  #correctBroadcast(message: WAMessage): void {
    const { key } = message;
    if (key.remoteJidAlt) key.participantAlt ??= key.remoteJidAlt;
    delete key.remoteJidAlt;
    const lid = this.#me()?.lid;
    if (key.fromMe || !key.participant || lid === undefined || !areJidsSameUser(key.participant, lid)) return;
    key.fromMe = true;
    message.status ??= proto.WebMessageInfo.Status.SERVER_ACK;
  }

  #correctCall(call: WACallEvent): void {
    const tag = TAG_OF_STATUS[call.status] ?? call.status;
    Object.assign(call, this.#calls.get(`${call.id} ${tag}`));
  }
}

/** For the author of a notice, Baileys keeps only what WhatsApp's own form of a key has a field for. */
function completeNotice({ key }: WAMessage, attrs: Attrs): void {
  if (!key.participant || !areJidsSameUser(key.participant, attrs.participant)) return;
  const { participant_pn: number, participant_lid: lid, participant_username: username } = attrs;
  const other = attrs.addressing_mode === 'pn' ? lid : (number ?? lid);
  key.addressingMode ??= attrs.addressing_mode ?? (key.participant.endsWith('@lid') ? 'lid' : 'pn');
  if (other !== undefined) key.participantAlt ??= other;
  if (username !== undefined) key.participantUsername ??= username;
}
