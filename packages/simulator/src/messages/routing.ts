import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidGroup,
  isJidNewsletter,
  isJidStatusBroadcast,
  isLidUser,
  jidDecode,
} from '@whiskeysockets/baileys';
import { takePost } from '../channels/routing.js';
import { readRetryBundle } from '../protocol/key-nodes.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import type { SimulatorContext } from '../server/simulator-context.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';
import { type Addressing, type Chat, isPerson, refusalOf, statusBroadcast } from '../world/chat.js';
import type { World } from '../world/world.js';
import { deliverReceipt, type ReceiptType } from './receipts.js';

/** The children of a client's message that are passed on to its recipients. */
const passedOn: ReadonlySet<string> = new Set(['meta', 'biz', 'bot']);

/** The receipts that reach the author; the others (`inactive`, `sender`, `peer_msg` …) end at the server. */
const receiptTypes: Readonly<Record<string, ReceiptType>> = {
  delivered: 'delivered',
  read: 'read',
  played: 'played',
};

/** Routes clients' messages and receipts to the devices and phones that they are for, and acknowledges them. */
export const messagingFeature: Feature = {
  stanzas: {
    message: routeMessage,
    receipt: routeReceipt,
    ack: ({ attrs }, { device }) => {
      device.acknowledge(attrs.class ?? '', attrs);
    },
  },
};

/** One destination of a message, with the contents encrypted for it. */
interface Copy {
  readonly phone: Account;
  /** The companion; absent for the phone itself. */
  readonly device: Device | undefined;
  readonly contents: BinaryNode[];
}

async function routeMessage(message: BinaryNode, context: DeviceContext): Promise<void> {
  const { simulator, device: from } = context;
  const { id = '', to = '' } = message.attrs;
  const timestamp = unixSeconds();
  const chat = chatAt(to, message.attrs.recipient, simulator.world);
  const post = isJidNewsletter(to) ? takePost(message, context) : undefined;
  const refusal =
    post?.refusal ??
    simulator.messageRefusal(from.phone) ??
    refusalOf(chat, from.phone) ??
    simulator.limits.of(from.phone).refusalOf(message, chat);
  const numbered = post?.serverId === undefined ? {} : { server_id: String(post.serverId) };
  const ack = { class: 'message', id, from: to, t: String(timestamp), ...numbered };
  if (refusal !== undefined) {
    // Baileys merges a refusal that arrives sooner into its own message's event, where no listener sees it.
    simulator.later(simulator.receiptDelayMs, () =>
      from.send({ tag: 'ack', attrs: { ...ack, error: String(refusal) } }),
    );
    return;
  }
  const ackFault = simulator.ackFault(from.phone);
  if (ackFault === undefined) from.send({ tag: 'ack', attrs: ack });
  else if (ackFault === 'cut') from.close('tcp');
  if (post !== undefined) return;
  if (!chat) {
    simulator.logger.warn({ to, id }, 'message to an unknown recipient');
    return;
  }
  const addressing = isPerson(chat) && !isLidUser(to) ? 'pn' : 'lid';
  for (const copy of copies(message, context, chat)) {
    if (copy.device) {
      copy.device.deliver({
        tag: 'message',
        attrs: {
          ...senderAttrs(from, copy.phone, chat, addressing),
          ...pick(message.attrs, 'type', 'edit', 'category'),
          id,
          t: String(timestamp),
          notify: from.phone.name,
        },
        content: [...copy.contents, ...extras(message, copy.contents)],
      });
    } else {
      const category = message.attrs.category;
      const incoming = {
        device: from,
        id,
        chat,
        addressing,
        timestamp,
        category,
        contents: copy.contents,
      } as const;
      simulator.inboxes
        .of(copy.phone)
        .receive(incoming)
        .catch((error: unknown) => {
          simulator.logger.error({ err: error, id }, 'a phone could not take a message');
        });
    }
  }
}

function routeReceipt(receipt: BinaryNode, { simulator, device, phone }: DeviceContext): void {
  const { id = '', to = '', type = 'delivered', participant } = receipt.attrs;
  const list = getBinaryNodeChildren(getBinaryNodeChild(receipt, 'list'), 'item');
  const ids = [id, ...list.map(({ attrs }) => attrs.id ?? '')];
  for (const each of ids) device.acknowledgeMessage(each, receipt.attrs);
  device.send({
    tag: 'ack',
    attrs: { class: 'receipt', id, from: to, ...pick(receipt.attrs, 'type', 'participant') },
  });
  if (type === 'retry') {
    routeRetry(receipt, device, simulator);
    return;
  }
  if (type === 'read-self') simulator.inboxes.of(phone).receiveReceipt({ from: phone, ids, type });
  const receiptType = receiptTypes[type];
  const { world } = simulator;
  const authorJid = participant ?? to;
  const author = world.phone(authorJid);
  const chat = isJidGroup(to) || isJidStatusBroadcast(to) ? chatAt(to, undefined, world) : author;
  if (!receiptType || !author || !chat) return;
  const addressing = isLidUser(authorJid) ? 'lid' : 'pn';
  const timestamp = unixSeconds();
  deliverReceipt(
    {
      author,
      reader: phone,
      chat: isPerson(chat) ? author : chat,
      addressing,
      type: receiptType,
      ids,
      timestamp,
    },
    simulator.inboxes,
  );
}

/** Asks the device that sent the message, since each device encrypts for itself. */
function routeRetry(receipt: BinaryNode, device: Device, simulator: SimulatorContext): void {
  const { id = '', to = '', participant } = receipt.attrs;
  const authorJid = participant ?? to;
  const author = simulator.world.phone(authorJid);
  if (!author) return;
  const authorDevice = simulator.world.device(authorJid);
  if (!authorDevice) {
    const count = Number(getBinaryNodeChild(receipt, 'retry')?.attrs.count ?? 1);
    const outbox = simulator.outboxes.of(author);
    outbox.resend(device, id, count, readRetryBundle(receipt)).catch((error: unknown) => {
      simulator.logger.error({ err: error, id }, 'a phone could not send a message again');
    });
    return;
  }
  const self = isLidUser(authorJid) ? device.lid : device.jid;
  authorDevice.deliver({
    ...receipt,
    attrs: {
      ...(participant && isJidGroup(to) ? { from: to, participant: self } : { from: self }),
      ...pick(receipt.attrs, 'id', 'type', 'recipient'),
      t: String(unixSeconds()),
    },
  });
}

function chatAt(to: string, recipient: string | undefined, world: World): Chat | undefined {
  if (isJidGroup(to)) return world.groups.get(to);
  if (isJidStatusBroadcast(to)) return statusBroadcast;
  return world.phone(recipient ?? to);
}

/** Which recipients get which contents of a message. */
function* copies(
  message: BinaryNode,
  { simulator, device: from }: DeviceContext,
  chat: Chat,
): Generator<Copy> {
  const { world } = simulator;
  const shared = getBinaryNodeChildren(message, 'enc');
  const own = new Map<string, BinaryNode[]>();
  for (const { attrs, content } of getBinaryNodeChildren(getBinaryNodeChild(message, 'participants'), 'to')) {
    const target = destination(attrs.jid ?? '', world);
    if (target && Array.isArray(content)) own.set(key(target), content);
    if (target && Array.isArray(content) && (isPerson(chat) || chat === statusBroadcast)) {
      yield { ...target, contents: [...content, ...shared] };
    }
  }
  if (isPerson(chat)) {
    // Peer messages and answers to a retry are for one device, which `to` names.
    const target = shared.length > 0 ? destination(message.attrs.to ?? '', world) : undefined;
    if (target) yield { ...target, contents: shared };
    return;
  }
  const only = message.attrs.participant;
  if (only) {
    const target = destination(only, world);
    if (target) yield { ...target, contents: shared };
    return;
  }
  if (!('members' in chat)) return;
  for (const phone of chat.members()) {
    for (const device of [undefined, ...phone.devices.values()]) {
      if (device === from) continue;
      yield { phone, device, contents: [...(own.get(key({ phone, device })) ?? []), ...shared] };
    }
  }
}

function destination(jid: string, world: World): Pick<Copy, 'phone' | 'device'> | undefined {
  const phone = world.phone(jid);
  if (!phone) return undefined;
  const id = jidDecode(jid)?.device;
  const device = id ? phone.devices.get(id) : undefined;
  return id && !device ? undefined : { phone, device };
}

function key({ phone, device }: Pick<Copy, 'phone' | 'device'>): string {
  return `${phone.number}:${device?.id ?? 0}`;
}

/** The sender of a message, as the recipient sees it. */
function senderAttrs(from: Device, to: Account, chat: Chat, addressing: Addressing): Record<string, string> {
  const { phone } = from;
  if (!isPerson(chat)) {
    return {
      from: chat.jid,
      participant: from.lid,
      ...phone.beside('participant'),
      addressing_mode: 'lid',
    };
  }
  if (to === phone) {
    return addressing === 'lid'
      ? { from: from.lid, recipient: chat.lid, ...chat.beside('peer_recipient'), addressing_mode: 'lid' }
      : { from: from.jid, recipient: chat.jid, peer_recipient_lid: chat.lid };
  }
  return addressing === 'lid'
    ? { from: from.lid, ...phone.beside('sender'), addressing_mode: 'lid' }
    : { from: from.jid, sender_lid: phone.lid };
}

function extras(message: BinaryNode, contents: readonly BinaryNode[]): BinaryNode[] {
  const isFirst = contents.some(({ attrs }) => attrs.type === 'pkmsg');
  const children = Array.isArray(message.content) ? message.content : [];
  return children.filter(({ tag }) => passedOn.has(tag) || (isFirst && tag === 'device-identity'));
}

function pick(attrs: Readonly<Record<string, string>>, ...names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = attrs[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
