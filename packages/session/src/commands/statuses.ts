import {
  type CommandFields,
  type CommandReply,
  type SentStatus,
  STATUS_FONTS,
  type statusCommands,
  type TextStatus,
  WafleetError,
} from '@wafleet/contract';
import { jidNormalizedUser, proto, STORIES_JID, type WASocket } from '@whiskeysockets/baileys';
import { type FileContext, fileContent } from '../content/files.js';
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

function textStatus({
  text,
  backgroundColor = DEFAULT_BACKGROUND,
  font = 'system',
}: TextStatus): proto.IMessage {
  const look = { backgroundArgb: toArgb(backgroundColor), textArgb: WHITE, font: STATUS_FONTS[font] };
  return { extendedTextMessage: { text, ...look } };
}

/** @throws {WafleetError} UPLOAD_NOT_FOUND. */
function fileStatus(content: SentStatus, files: FileContext): proto.IMessage {
  const message = fileContent(content, files);
  if (content.type !== 'voice') return message;
  const { backgroundColor = DEFAULT_BACKGROUND } = content;
  return { audioMessage: { ...message.audioMessage, backgroundArgb: toArgb(backgroundColor) } };
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

/**
 * The keys of statuses of others. Only the senders of those that the session does not know are asked for, all at once.
 * @throws {WafleetError} MESSAGE_NOT_FOUND, RECIPIENT_NOT_FOUND, and as `Recipients.findAll` does.
 */
async function keysOf(
  { socket, known, recipients }: CommandContext,
  statuses: readonly { readonly messageId: string; readonly sender?: string | undefined }[],
): Promise<TargetKey[]> {
  const kept = await Promise.all(statuses.map(({ messageId }) => known.findKept(messageId)));
  const authors = kept.map((each) => {
    const isStatus = each?.key.remoteJid === STORIES_JID && each.key.fromMe !== true;
    return (isStatus && each.key.participant) || undefined;
  });
  const named = statuses.flatMap(({ sender }, index) =>
    authors[index] === undefined && sender !== undefined ? [sender] : [],
  );
  const found = await recipients.findAll(socket, named);
  const ids = new Map(named.map((sender, index) => [sender, found[index]]));
  return statuses.map(({ messageId, sender }, index) => {
    const author = authors[index];
    if (author === undefined && sender === undefined) {
      throw new WafleetError('MESSAGE_NOT_FOUND', 'The session does not know this status. Name its sender.');
    }
    const participant = author ?? ids.get(sender ?? '');
    if (participant === undefined) {
      throw new WafleetError('RECIPIENT_NOT_FOUND', `${sender} is not on WhatsApp.`);
    }
    return {
      remoteJid: STORIES_JID,
      id: messageId,
      fromMe: false,
      participant: jidNormalizedUser(participant),
    };
  });
}

/** Posts a status to those of the recipients whom WhatsApp knows. @throws {WafleetError} as `MessageSender.send`. */
async function post(
  session: CommandContext,
  { recipients, messageId }: Pick<CommandFields<'post-status'>, 'recipients' | 'messageId'>,
  content: proto.IMessage,
): Promise<CommandReply<'post-status'>> {
  const { socket, messages } = session;
  messages.requireReading();
  const { audience, notOnWhatsApp } = await audienceOf(session, recipients);
  await messages.send(socket, { jid: STORIES_JID, content, messageId, audience });
  return { messageId, notOnWhatsApp };
}

export const statusHandlers: HandlersOf<typeof statusCommands> = {
  'post-status': (session, fields) => post(session, fields, textStatus(fields.content)),
  'post-file-status': async (session, fields) =>
    post(session, fields, fileStatus(fields.content, session.files)),
  'delete-status': async ({ socket, messages, statusAudiences }, { target, messageId }) => {
    messages.requireReading();
    const audience = await statusAudiences.find(target);
    if (audience === undefined) {
      throw new WafleetError('MESSAGE_NOT_FOUND', 'The session has posted no such status in the last days.');
    }
    const key = { remoteJid: STORIES_JID, id: target, fromMe: true, participant: ownId(socket) };
    const content = { protocolMessage: { key, type: REVOKE } };
    await messages.send(socket, { jid: STORIES_JID, content, messageId, audience });
    return { messageId };
  },
  'view-statuses': async (session, { statuses }) => {
    await markAsRead(session.socket, await keysOf(session, statuses));
    return {};
  },
};
