import type { Published } from './published.js';

/** LID and number of the people in the recording of whom a session knows both ids from the start. */
const PAIRS = [
  ['107411253299441@lid', '15550001001@s.whatsapp.net'],
  ['106825993066104@lid', '15551230001@s.whatsapp.net'],
  ['114163061586523@lid', '15551230002@s.whatsapp.net'],
] as const;
const NUMBERS: ReadonlyMap<string, string> = new Map(PAIRS);
const LIDS: ReadonlyMap<string, string> = new Map(PAIRS.map(([lid, number]) => [number, lid]));

type Fields = Record<string, unknown>;

/** @param fields the field that is added beside a LID, and the one beside a number; undefined for none. */
function add(holder: Fields, idField: string, ...[besideLid, besideNumber]: (string | undefined)[]): void {
  const id = holder[idField];
  if (typeof id !== 'string') return;
  const number = NUMBERS.get(id);
  const lid = LIDS.get(id);
  if (number !== undefined && besideLid !== undefined) holder[besideLid] ??= number;
  if (lid !== undefined && besideNumber !== undefined) holder[besideNumber] ??= lid;
}

function addToKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Fields;
  if (typeof holder.remoteJid === 'string' && typeof holder.id === 'string') {
    add(holder, 'remoteJid', 'remoteJidAlt', 'remoteJidAlt');
    add(holder, 'participant', 'participantAlt', 'participantAlt');
  }
  add(holder, 'userJid', 'userJidAlt', 'userJidAlt');
  for (const inner of Object.values(holder)) addToKeys(inner);
}

/** WhatsApp's numbers of notices that do not come from a group itself: a placeholder, and a changed picture. */
const NOT_OF_GROUPS: ReadonlySet<unknown> = new Set([2, 22]);
/** The kind of a message that says how long messages stay. */
const EPHEMERAL_SETTING = 3;

/** Notices of groups have the kind of id that names their author. Baileys had dropped it in the recording. */
function addModes(messages: unknown): void {
  for (const each of Array.isArray(messages) ? messages : []) {
    const { key, messageStubType, message, participant } = each as { key: Fields } & Fields;
    const { type } = ((message as Fields | undefined)?.protocolMessage ?? {}) as Fields;
    const isNotice = messageStubType !== undefined && !NOT_OF_GROUPS.has(messageStubType);
    if (participant === undefined || key.participant === undefined) continue;
    if (isNotice || type === EPHEMERAL_SETTING) key.addressingMode ??= 'lid';
  }
}

/** In a broadcast only the author is a person, so the broadcast has no other id. Baileys gave it the author's. */
function removeIdsOfBroadcasts(messages: unknown): void {
  for (const { key } of (Array.isArray(messages) ? messages : []) as { key: Fields }[]) {
    if (String(key.remoteJid).endsWith('@broadcast')) delete key.remoteJidAlt;
  }
}

/** The recorded items, with the other id added beside each id of a person whose pair is known. */
export function withOtherIds(items: readonly Published[]): Published[] {
  return items.map(({ event, payload: recorded }) => {
    const payload: Fields = structuredClone(recorded);
    const each = (list: string, ...fields: [string, string | undefined, string | undefined]) => {
      const holders = payload[list];
      for (const holder of Array.isArray(holders) ? holders : []) add(holder as Fields, ...fields);
    };
    if (event.startsWith('messages.')) {
      removeIdsOfBroadcasts(payload.messages);
      addToKeys(payload);
    }
    if (event === 'messages.upsert' && payload.history === undefined) addModes(payload.messages);
    if (event === 'messages.delete') add(payload, 'jid', 'jidAlt', 'jidAlt');
    if (event === 'presence.update') add(payload, 'id', 'idAlt', 'idAlt');
    if (event === 'group-participants.update') add(payload, 'author', 'authorPn', undefined);
    each('contacts', 'id', 'phoneNumber', 'lid');
    each('participants', 'id', 'phoneNumber', 'lid');
    each('chats', 'id', 'pnJid', 'lidJid');
    each('calls', 'from', 'callerPn', 'callerLid');
    for (const author of ['author', 'owner', 'subjectOwner', 'descOwner']) {
      each('groups', author, `${author}Pn`, undefined);
    }
    each('joinRequests', 'participant', 'participantPn', undefined);
    return { event, payload };
  });
}
