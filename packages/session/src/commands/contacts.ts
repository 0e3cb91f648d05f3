import { type contactCommands, PAGE_OF_BLOCKED, WafleetError } from '@wafleet/contract';
import { proto, type WASocket } from '@whiskeysockets/baileys';
import { get } from '../baileys/untyped.js';
import { changeSettings, modify, type SettingsPatch } from './account-settings.js';
import { checkNumbers } from './check-numbers.js';
import type { HandlersOf } from './command-context.js';
import { type FoundContact, toContactIds } from './contact-finder.js';
import { checkCursor } from './group-requests/page.js';
import { change, read } from './whatsapp-requests.js';

const { SET, REMOVE } = proto.SyncdMutation.SyncdOperation;

/** The codes with which WhatsApp says that there is no picture, or that the account may not see it. */
const NO_PICTURE: ReadonlySet<unknown> = new Set([404, 401]);

/** The address of a picture; null if the account sees none. @throws {WafleetError} as `read` does. */
export async function pictureUrlOf(
  socket: WASocket,
  jid: string,
  size: 'preview' | 'full',
): Promise<string | null> {
  const asked = socket.profilePictureUrl(jid, size === 'full' ? 'image' : 'preview');
  const url = await read(
    asked.catch((error: unknown) => {
      if (NO_PICTURE.has(get(error, 'data'))) return undefined;
      throw error;
    }),
  );
  return url ?? null;
}

/** The about text of a person. @throws {WafleetError} as `read` does. */
export async function aboutOf(
  socket: WASocket,
  jid: string,
): Promise<{ about: string | null; setAt?: string }> {
  const [found] = (await read(socket.fetchStatus(jid))) ?? [];
  const about = get(found?.status, 'status');
  const setAt = get(found?.status, 'setAt');
  const isDated = setAt instanceof Date && setAt.getTime() > 0;
  if (typeof about !== 'string' || about === '') return { about: null };
  return { about, ...(isDated ? { setAt: setAt.toISOString() } : {}) };
}

/** A saved contact of a person whose number is not known: Baileys does not know it. */
function lidContact(lid: string, action: proto.SyncActionValue.ILidContactAction | undefined): SettingsPatch {
  return {
    syncAction: { timestamp: Date.now(), lidContactAction: action ?? {} },
    index: ['lid_contact', lid],
    type: 'critical_unblock_low',
    apiVersion: 2,
    operation: action === undefined ? REMOVE : SET,
  };
}

function idOf({ numberId, lid }: FoundContact): string {
  return numberId ?? lid ?? '';
}

export const contactHandlers: HandlersOf<typeof contactCommands> = {
  'check-numbers': async ({ socket, contacts }, { numbers }) => {
    const found = await checkNumbers(socket, numbers);
    const items = numbers.map((number) => {
      const { id, lid } = found.get(number) ?? {};
      if (id !== undefined) contacts.note({ id, ...(lid === undefined ? {} : { lid }) });
      return { number, isOnWhatsApp: id !== undefined, ...toContactIds({ numberId: id, lid }) };
    });
    return { items };
  },
  'get-contact': async ({ socket, contacts }, { contact }) =>
    toContactIds(await contacts.find(socket, contact)),
  'get-contact-picture': async ({ socket, contacts }, { contact, size }) => {
    const id = idOf(await contacts.find(socket, contact));
    return { url: await pictureUrlOf(socket, id, size) };
  },
  'get-contact-about': async ({ socket, contacts }, { contact }) =>
    aboutOf(socket, idOf(await contacts.find(socket, contact))),
  'save-contact': async ({ socket, contacts }, { contact, name, firstName, savesOnPhone }) => {
    const { numberId, lid } = await contacts.find(socket, contact);
    const names = { fullName: name, firstName: firstName ?? name.split(' ', 1)[0] ?? name };
    if (numberId === undefined && lid !== undefined) {
      await changeSettings(socket, lidContact(lid, names));
      return {};
    }
    const saved = {
      ...names,
      ...(lid === undefined ? {} : { lidJid: lid }),
      saveOnPrimaryAddressbook: savesOnPhone,
    };
    await modify(socket, { contact: saved }, numberId ?? '');
    return {};
  },
  'remove-contact': async ({ socket, contacts }, { contact }) => {
    const { numberId, lid } = await contacts.find(socket, contact);
    if (numberId !== undefined) await modify(socket, { contact: null }, numberId);
    // It may have been saved when the number was not known.
    if (lid !== undefined) await changeSettings(socket, lidContact(lid, undefined));
    return {};
  },
  'list-blocked': async ({ socket, contacts }, { cursor }) => {
    checkCursor(cursor);
    const blocked = await read(socket.fetchBlocklist());
    const sorted = blocked.filter((jid) => jid !== undefined).sort();
    const rest = sorted.filter((jid) => cursor === undefined || jid > cursor);
    const page = rest.slice(0, PAGE_OF_BLOCKED);
    const last = page.at(-1);
    const hasMore = rest.length > page.length && last !== undefined;
    return { items: await contacts.idsOf(page), ...(hasMore ? { nextCursor: last } : {}) };
  },
  'block-contact': async ({ socket, contacts }, { contact }) => {
    const { numberId, lid } = await contacts.find(socket, contact);
    if (numberId === undefined) {
      throw new WafleetError('NUMBER_NOT_KNOWN', 'WhatsApp has not named the phone number of this LID.');
    }
    await requirePair(socket, numberId, lid);
    await change(socket.updateBlockStatus(numberId, 'block'));
    publishBlock(socket, requireLid(lid), 'add');
    return {};
  },
  'unblock-contact': async ({ socket, contacts }, { contact }) => {
    const { lid } = await contacts.find(socket, contact);
    await change(socket.updateBlockStatus(requireLid(lid), 'unblock'));
    publishBlock(socket, requireLid(lid), 'remove');
    return {};
  },
  'subscribe-to-presence': async ({ socket, contacts }, { contact }) => {
    await read(socket.presenceSubscribe(idOf(await contacts.find(socket, contact))));
    return {};
  },
};

/** WhatsApp sends the change to the account's other devices alone. */
function publishBlock(socket: WASocket, lid: string, type: 'add' | 'remove'): void {
  socket.ev.emit('blocklist.update', { blocklist: [lid], type });
}

/** Makes Baileys know a pair, which it needs to block a person. */
async function requirePair(socket: WASocket, pn: string, lid: string | undefined): Promise<void> {
  await socket.signalRepository.lidMapping.storeLIDPNMappings([{ lid: requireLid(lid), pn }]);
}

function requireLid(lid: string | undefined): string {
  if (lid !== undefined) return lid;
  throw new WafleetError('UNAVAILABLE', 'WhatsApp has not named the LID of the person.');
}
