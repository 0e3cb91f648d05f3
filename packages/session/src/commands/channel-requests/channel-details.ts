import { type Channel, channelIdSchema } from '@wafleet/contract';
import { get } from '../../baileys/untyped.js';
import { toInstant } from '../group-requests/group-details.js';

/** Where WhatsApp serves pictures, which are not encrypted. */
const PICTURES = 'https://pps.whatsapp.net';
const LINKS = 'https://whatsapp.com/channel/';

/** Channels that are gone, but are still listed for a while. */
const GONE: ReadonlySet<unknown> = new Set(['DELETED', 'NON_EXISTING']);

/** A channel of WhatsApp's answer. Undefined if the answer has none, or one that was deleted. */
export function toChannel(answer: unknown): Channel | undefined {
  const id = channelIdSchema.safeParse(get(answer, 'id')).data;
  const thread = get(answer, 'thread_metadata');
  const viewer = get(answer, 'viewer_metadata');
  const state = get(get(answer, 'state'), 'type');
  if (id === undefined || GONE.has(state)) return undefined;
  const invitation = textOf(get(thread, 'invite')) ?? null;
  const createdAt = toInstant(textOf(get(thread, 'creation_time')));
  const followers = countOf(get(thread, 'subscribers_count'));
  const role = textOf(get(viewer, 'role'))?.toLowerCase();
  const mute = textOf(get(viewer, 'mute'));
  const path = textOf(get(get(thread, 'picture'), 'direct_path'));
  return {
    id,
    name: textOf(get(get(thread, 'name'), 'text')) ?? '',
    description: textOf(get(get(thread, 'description'), 'text')) ?? null,
    invitation,
    link: invitation === null ? null : `${LINKS}${invitation}`,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(followers === undefined ? {} : { followers }),
    verified: get(thread, 'verification') === 'VERIFIED',
    ...(typeof state === 'string' ? { state: state.toLowerCase() } : {}),
    ...(role === undefined ? {} : { role }),
    ...(mute === undefined ? {} : { muted: mute === 'ON' }),
    pictureUrl: path?.startsWith('/') ? `${PICTURES}${path}` : null,
  };
}

/** WhatsApp writes numbers as texts here. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function countOf(value: unknown): number | undefined {
  const count = Number(textOf(value));
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
