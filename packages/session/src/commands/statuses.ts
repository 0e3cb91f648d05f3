import { STATUS_FONTS, type StatusContent, type statusCommands, WafleetError } from '@wafleet/contract';
import { jidNormalizedUser, proto, STORIES_JID, type WASocket } from '@whiskeysockets/baileys';
import type { TargetKey } from '../known-messages/message-targets.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { markAsRead } from './mark-as-read.js';

const { REVOKE } = proto.Message.ProtocolMessage.Type;

/** A text has a background in every app: WhatsApp's own green. */
const DEFAULT_BACKGROUND = '#1E6E4F';
const OPAQUE = 0xff_00_00_00;
const WHITE = 0xff_ff_ff_ff;

function toArgb(colour: string): number {
  return OPAQUE + Number.parseInt(colour.slice(1), 16);
}

function statusContent({ text, backgroundColor = DEFAULT_BACKGROUND, font = 'system' }: StatusContent) {
  const look = { backgroundArgb: toArgb(backgroundColor), textArgb: WHITE, font: STATUS_FONTS[font] };
  return { extendedTextMessage: { text, ...look } };
}

/**
 * Who gets a status: the people whom WhatsApp knows, each once though named by both ids, and the account, whose phone
 * shows it too.
 * @throws {WafleetError} RECIPIENT_NOT_FOUND, and as `Recipients.findAll` does.
 */
async function audienceOf(
  { socket, recipients, contacts }: CommandContext,
  people: readonly string[],
): Promise<{ readonly audience: string[]; readonly notOnWhatsApp: string[] }> {
  const found = await recipients.findAll(socket, people);
  const notOnWhatsApp = people.filter((_, index) => found[index] === undefined);
  const known = found.filter((jid) => jid !== undefined);
  if (known.length === 0) {
    throw new WafleetError('RECIPIENT_NOT_FOUND', 'None of the recipients is on WhatsApp.');
  }
  const ids = await contacts.idsOf(known);
  const others = new Map(known.map((jid, index) => [ids[index]?.lid ?? jid, jid]));
  const own = [socket.user?.id, socket.user?.lid].map((jid) => jidNormalizedUser(jid));
  for (const id of own) others.delete(id);
  return { audience: [...others.values(), ownId(socket)], notOnWhatsApp };
}

function ownId(socket: WASocket): string {
  return jidNormalizedUser(socket.user?.id);
}

/** The key of a status of somebody else. @throws {WafleetError} MESSAGE_NOT_FOUND, and as `Recipients.find` does. */
async function keyOf(
  { socket, known, recipients }: CommandContext,
  { messageId, sender }: { readonly messageId: string; readonly sender?: string | undefined },
): Promise<TargetKey> {
  const kept = await known.findKept(messageId);
  const isStatus = kept?.key.remoteJid === STORIES_JID && kept.key.fromMe !== true;
  const named = sender === undefined ? undefined : await recipients.find(socket, sender);
  const participant = (isStatus ? kept.key.participant : undefined) ?? named;
  if (participant == null) {
    throw new WafleetError('MESSAGE_NOT_FOUND', 'The session does not know this status. Name its sender.');
  }
  return {
    remoteJid: STORIES_JID,
    id: messageId,
    fromMe: false,
    participant: jidNormalizedUser(participant),
  };
}

export const statusHandlers: HandlersOf<typeof statusCommands> = {
  'post-status': async (session, { content, recipients, messageId }) => {
    const { socket, messages, statusAudiences } = session;
    messages.requireReading();
    const { audience, notOnWhatsApp } = await audienceOf(session, recipients);
    await statusAudiences.keep(messageId, audience);
    await messages.send(socket, { jid: STORIES_JID, content: statusContent(content), messageId, audience });
    return { messageId, notOnWhatsApp };
  },
  'delete-status': async ({ socket, messages, statusAudiences }, { target, messageId }) => {
    messages.requireReading();
    const audience = await statusAudiences.find(target);
    if (audience === undefined) {
      throw new WafleetError('MESSAGE_NOT_FOUND', 'The session has posted no such status in the last days.');
    }
    const key = { remoteJid: STORIES_JID, id: target, fromMe: true, participant: ownId(socket) };
    // A device that cannot decrypt the deletion asks for it again.
    await statusAudiences.keep(messageId, audience);
    const content = { protocolMessage: { key, type: REVOKE } };
    await messages.send(socket, { jid: STORIES_JID, content, messageId, audience });
    return { messageId };
  },
  'view-statuses': async (session, { statuses }) => {
    const keys = await Promise.all(statuses.map((status) => keyOf(session, status)));
    await markAsRead(session.socket, keys);
    return {};
  },
};
