import { proto } from '@whiskeysockets/baileys';
import type { MessageContent } from '../messages/content.js';
import { setDisappearingMode } from '../notifications/notices.js';
import { PasskeyCeremonyError } from '../passkey/ceremony-error.js';
import { deviceAnswer, messageAnswer, phoneAnswer, receivedAnswer } from './answers.js';
import { ControlError } from './errors.js';
import { given } from './given.js';
import { found, type Lookup } from './lookup.js';
import { type ControlRequest, type ControlRoute, route } from './routes.js';
import { type Body, bodies } from './schemas.js';

const phone = ({ find, param }: ControlRequest<unknown>) => find.phone(param('number'));

/** What people do with their phones. */
export const phoneRoutes: readonly ControlRoute[] = [
  route('GET', '/phones', bodies.nothing, ({ simulator }) => [...simulator.world.phones()].map(phoneAnswer)),
  route('POST', '/phones', bodies.addPhone, ({ simulator, body }) => {
    const { name, number, ...rest } = body;
    if (number !== undefined && simulator.world.phoneByNumber(number)) {
      throw new ControlError('REFUSED', `there is a phone with number ${number}`);
    }
    return phoneAnswer(simulator.addPhone({ name, ...given({ number, ...rest }) }));
  }),
  route('GET', '/phones/:number', bodies.nothing, (request) => phoneAnswer(phone(request))),
  route('POST', '/phones/:number/scan', bodies.scan, async (request) => {
    const device = phone(request).scan(request.body.qr);
    return deviceAnswer(
      await device.catch((error: Error) => {
        if (error instanceof PasskeyCeremonyError) throw error;
        throw new ControlError('REFUSED', error.message);
      }),
    );
  }),
  route('POST', '/phones/:number/enter-code', bodies.enterCode, async (request) =>
    deviceAnswer(await phone(request).enterCode(request.body.code)),
  ),
  route('POST', '/phones/:number/unlink', bodies.unlink, (request) => {
    const { device: jid } = request.body;
    const devices = [...phone(request).devices.values()];
    const device =
      jid === undefined
        ? undefined
        : found(
            devices.find((each) => each.jid === jid),
            `device ${jid}`,
          );
    phone(request).unlink(device);
  }),
  route('POST', '/phones/:number/reinstall', bodies.nothing, (request) => phone(request).reinstall()),
  route('POST', '/phones/:number/send', bodies.send, async (request) => {
    const { to, text, message, audience, quoted, ...options } = request.body;
    const content: MessageContent = text === undefined ? proto.Message.fromObject(message ?? {}) : { text };
    const people = audience === undefined ? {} : { audience: request.find.phones(audience) };
    const answered =
      quoted === undefined
        ? {}
        : { quoted: { ...request.find.message(quoted), message: { conversation: quoted.text } } };
    const all = { ...given(options), ...people, ...answered };
    return messageAnswer(await phone(request).send(request.find.chat(to), content, all));
  }),
  route('POST', '/phones/:number/send-media', bodies.sendMedia, async (request) => {
    const { to, data, addressing, ...details } = request.body;
    const media = { ...given(details), kind: details.kind, data: Buffer.from(data, 'base64') };
    return messageAnswer(await phone(request).sendMedia(request.find.chat(to), media, given({ addressing })));
  }),
  route('POST', '/phones/:number/react', bodies.react, async (request) => {
    const { message, text, addressing } = request.body;
    return messageAnswer(
      await phone(request).react(request.find.message(message), text, given({ addressing })),
    );
  }),
  route('POST', '/phones/:number/edit', bodies.edit, async (request) => {
    const { message, text, addressing } = request.body;
    return messageAnswer(
      await phone(request).edit(request.find.message(message), { text }, given({ addressing })),
    );
  }),
  route('POST', '/phones/:number/revoke', bodies.revoke, async (request) => {
    const { message, addressing } = request.body;
    return messageAnswer(await phone(request).revoke(request.find.message(message), given({ addressing })));
  }),
  route('GET', '/phones/:number/received', bodies.nothing, (request) =>
    phone(request).received.map(receivedAnswer),
  ),
  route('POST', '/phones/:number/mark-read', bodies.markRead, (request) => {
    const { ids, played } = request.body;
    const reader = phone(request);
    const messages = ids.map((id) =>
      found(
        reader.received.find((message) => message.id === id),
        `message ${id}`,
      ),
    );
    if (played) reader.markPlayed(...messages);
    else reader.markRead(...messages);
  }),
  route('POST', '/phones/:number/presence', bodies.presence, (request) => {
    const { type, lastSeen } = request.body;
    phone(request).setPresence({ type, ...given({ lastSeen }) });
  }),
  route('POST', '/phones/:number/state', bodies.showState, (request) => {
    phone(request).showState(request.find.personOrGroup(request.body.chat), request.body.state);
  }),
  route('POST', '/phones/:number/call', bodies.call, (request) => {
    const { to, video, group } = request.body;
    const { id, state } = phone(request).call(request.find.phone(to), given({ video, group }));
    return { id, state };
  }),
  route('POST', '/calls/:id', bodies.callAction, ({ simulator, param, body }) => {
    const call = found(simulator.calls.find(param('id')), `call ${param('id')}`);
    try {
      call[body.action]();
    } catch (error) {
      throw new ControlError('REFUSED', String(error));
    }
    return { id: call.id, state: call.state };
  }),
  route('POST', '/phones/:number/picture', bodies.picture, (request) => {
    const { data, group } = request.body;
    const owner = group === undefined ? phone(request) : request.find.group(group);
    if (data === undefined) phone(request).removePicture(owner);
    else phone(request).setPicture(Buffer.from(data, 'base64'), owner);
  }),
  route('POST', '/phones/:number/block', bodies.block, (request) => {
    const person = request.find.phone(request.body.person);
    if (request.body.blocked) phone(request).block(person);
    else phone(request).unblock(person);
  }),
  route('POST', '/phones/:number/chat-settings', bodies.chatSettings, (request) => changeChat(request)),
  route('POST', '/phones/:number/message-settings', bodies.messageSettings, async (request) => {
    const { chat, id, fromMe, starred, deletedForMe } = request.body;
    const { settings } = phone(request);
    const message = { chat: request.find.personOrGroup(chat), id, fromMe };
    if (starred !== undefined) await settings.starMessage(message, starred);
    if (deletedForMe) await settings.deleteMessageForMe(message);
  }),
  route('POST', '/phones/:number/contact', bodies.contact, async (request) => {
    const { person: name, name: fullName, hideNumber } = request.body;
    const { settings } = phone(request);
    const person = request.find.phone(name);
    if (fullName === null) await settings.removeContact(person);
    else if (hideNumber) await settings.saveLidContact(person, fullName);
    else await settings.saveContact(person, fullName);
  }),
  route('POST', '/phones/:number/label', bodies.label, async (request) => {
    const { id, name, color, deleted, chat, labeled } = request.body;
    const { settings } = phone(request);
    if (name !== undefined) await settings.editLabel(id, { name, ...given({ color, deleted }) });
    if (chat !== undefined) await settings.labelChat(request.find.personOrGroup(chat), id, labeled ?? true);
  }),
  route('POST', '/phones/:number/profile', bodies.profile, async (request) => {
    const { pushName, locale, unarchiveChats, disappearingSeconds } = request.body;
    const { settings } = phone(request);
    if (pushName !== undefined) await settings.setPushName(pushName);
    if (locale !== undefined) await settings.setLocale(locale);
    if (unarchiveChats !== undefined) await settings.setUnarchiveChats(unarchiveChats);
    if (disappearingSeconds !== undefined) setDisappearingMode(phone(request), disappearingSeconds);
  }),
  route('POST', '/phones/:number/remember', bodies.remember, (request) => {
    const { chat, text, sender, ...rest } = request.body;
    const author = sender === undefined ? {} : { sender: request.find.phone(sender) };
    const message = { message: { conversation: text }, ...given(rest), ...author };
    const { id } = phone(request).history.remember(request.find.personOrGroup(chat), message);
    return { id, sender: sender ?? phone(request).number, chat };
  }),
  route('POST', '/phones/:number/share-history', bodies.shareHistory, async (request) => {
    const { chats, ...rest } = request.body;
    const which = chats === undefined ? {} : { chats: chatsOf(request.find, chats) };
    await phone(request).history.share({ ...given(rest), kind: rest.kind, ...which });
  }),
];

async function changeChat(request: ControlRequest<Body<'chatSettings'>>): Promise<void> {
  const { chat: name, archived, mutedUntil, pinned, read, locked, cleared, deleted } = request.body;
  const { settings } = phone(request);
  const chat = request.find.personOrGroup(name);
  if (archived !== undefined) await settings.archiveChat(chat, archived);
  if (mutedUntil !== undefined) await settings.muteChat(chat, mutedUntil);
  if (pinned !== undefined) await settings.pinChat(chat, pinned);
  if (read !== undefined) await settings.markChatRead(chat, read);
  if (locked !== undefined) await settings.lockChat(chat, locked);
  if (cleared) await settings.clearChat(chat);
  if (deleted) await settings.deleteChat(chat);
}

function chatsOf(find: Lookup, names: readonly string[]) {
  return names.map((name) => find.personOrGroup(name));
}
