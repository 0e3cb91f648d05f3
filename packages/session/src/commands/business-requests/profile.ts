import type { BusinessHours, BusinessProfile, BusinessProfileChange } from '@wafleet/contract';
import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  S_WHATSAPP_NET,
  type WASocket,
} from '@whiskeysockets/baileys';
import { textIn, textOf } from './read-text.js';

/** The version of the answer that is asked for, as Baileys does. */
const VERSION = '244';

/** Asks for the profile of an account. Rejects as Baileys' `query`. */
export function askForProfile(socket: WASocket, jid: string): Promise<BinaryNode> {
  const profile = { tag: 'profile', attrs: { jid } };
  return socket.query({
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, xmlns: 'w:biz', type: 'get' },
    content: [{ tag: 'business_profile', attrs: { v: VERSION }, content: [profile] }],
  });
}

/**
 * Reads `<profile>` of the answer; undefined if the account is not one of a business. Baileys' `getBusinessProfile`
 * reads the first address and the first category alone.
 */
export function readProfile(answer: BinaryNode): BusinessProfile | undefined {
  const node = getBinaryNodeChild(getBinaryNodeChild(answer, 'business_profile'), 'profile');
  if (node === undefined) return undefined;
  const hours = getBinaryNodeChild(node, 'business_hours');
  return {
    description: textIn(node, 'description'),
    address: textIn(node, 'address'),
    email: textIn(node, 'email'),
    websites: getBinaryNodeChildren(node, 'website').flatMap((website) => textOf(website) ?? []),
    categories: getBinaryNodeChildren(getBinaryNodeChild(node, 'categories'), 'category').flatMap(
      (category) => {
        const name = textOf(category);
        return name === null ? [] : [{ id: category.attrs.id ?? null, name }];
      },
    ),
    hours:
      hours === undefined
        ? null
        : {
            timezone: hours.attrs.timezone ?? null,
            days: getBinaryNodeChildren(hours, 'business_hours_config').map(toOpening),
          },
  };
}

function toOpening({ attrs }: BinaryNode) {
  const opensAt = toMinute(attrs.open_time);
  const closesAt = toMinute(attrs.close_time);
  return {
    day: attrs.day_of_week ?? '',
    mode: attrs.mode ?? '',
    ...(opensAt === undefined ? {} : { opensAt }),
    ...(closesAt === undefined ? {} : { closesAt }),
  };
}

function toMinute(text: string | undefined): number | undefined {
  const minute = Number(text);
  return text !== undefined && Number.isSafeInteger(minute) ? minute : undefined;
}

/** Changes the profile of the account. Rejects as Baileys' `query`. */
export function askToChangeProfile(socket: WASocket, change: BusinessProfileChange): Promise<BinaryNode> {
  const { websites, hours, ...texts } = change;
  const content = [
    ...Object.entries(texts).flatMap(([tag, text]) => (text === undefined ? [] : [textNode(tag, text)])),
    ...websiteNodes(websites),
    ...(hours === undefined ? [] : [hoursNode(hours)]),
  ];
  return socket.query({
    tag: 'iq',
    attrs: { to: S_WHATSAPP_NET, xmlns: 'w:biz', type: 'set' },
    content: [{ tag: 'business_profile', attrs: { v: '3', mutation_type: 'delta' }, content }],
  });
}

/** An empty address stands for none. */
function websiteNodes(websites: readonly string[] | undefined): BinaryNode[] {
  if (websites === undefined) return [];
  return (websites.length === 0 ? [''] : websites).map((website) => textNode('website', website));
}

function hoursNode({ timezone, days }: BusinessHours): BinaryNode {
  const content = days.map(({ day, mode, opensAt, closesAt }) => ({
    tag: 'business_hours_config',
    attrs: {
      ...{ day_of_week: day, mode },
      ...(opensAt === undefined ? {} : { open_time: String(opensAt) }),
      ...(closesAt === undefined ? {} : { close_time: String(closesAt) }),
    },
  }));
  return { tag: 'business_hours', attrs: { timezone }, content };
}

function textNode(tag: string, text: string): BinaryNode {
  return { tag, attrs: {}, content: Buffer.from(text) };
}
