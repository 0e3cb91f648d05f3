import { type BusinessProfile, type businessCommands, type ErrorCode, WafleetError } from '@wafleet/contract';
import { type BinaryNode, jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import {
  askForCollections,
  askForOrder,
  askForProducts,
  readCollections,
  readOrder,
  readProducts,
} from './business-requests/catalog.js';
import { askForProfile, askToChangeProfile, readProfile } from './business-requests/profile.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { change, read } from './whatsapp-requests.js';

const NOT_FOUND = 404;

/** Awaits an answer. WhatsApp's 404 becomes `missing`. @throws {WafleetError} `missing`, and as `read` does. */
async function readOr(missing: ErrorCode, message: string, asked: Promise<BinaryNode>): Promise<BinaryNode> {
  try {
    return await read(asked);
  } catch (error) {
    const isMissing = error instanceof WafleetError && error.details?.code === NOT_FOUND;
    throw isMissing ? new WafleetError(missing, message, undefined, { cause: error }) : error;
  }
}

const NO_CATALOG = 'WhatsApp knows no catalogue of this account.';
const NO_ORDER = 'WhatsApp knows no order of this id and token.';

async function profileOf(socket: WASocket, jid: string): Promise<BusinessProfile> {
  const profile = readProfile(await read(askForProfile(socket, jid)));
  if (profile !== undefined) return profile;
  throw new WafleetError('BUSINESS_NOT_FOUND', 'The account is not one of a business.');
}

/** Businesses are asked for by number where it is known, as Baileys does. @throws as `ContactFinder.find`. */
async function idOf({ socket, contacts }: CommandContext, contact: string): Promise<string> {
  const { numberId, lid } = await contacts.find(socket, contact);
  return numberId ?? lid ?? contact;
}

export const businessHandlers: HandlersOf<typeof businessCommands> = {
  'get-business-profile': async (session, { contact }) =>
    profileOf(session.socket, await idOf(session, contact)),
  'get-catalog': async (session, { contact, ...page }) => {
    const jid = await idOf(session, contact);
    const asked = askForProducts(session.socket, jid, page);
    return readProducts(await readOr('BUSINESS_NOT_FOUND', NO_CATALOG, asked));
  },
  'get-collections': async (session, { contact, ...page }) => {
    const jid = await idOf(session, contact);
    const asked = askForCollections(session.socket, jid, page);
    return readCollections(await readOr('BUSINESS_NOT_FOUND', NO_CATALOG, asked));
  },
  'get-order': async ({ socket }, { order, token }) =>
    readOrder(await readOr('ORDER_NOT_FOUND', NO_ORDER, askForOrder(socket, order, token))),
  'get-own-business-profile': ({ socket }) => profileOf(socket, jidNormalizedUser(socket.user?.id)),
  'change-business-profile': async ({ socket }, fields) => {
    await change(askToChangeProfile(socket, fields));
    return {};
  },
};
