import type { ChatEntry, ContactEntry } from '@wafleet/store';
import { personId } from '../identity/person-id.js';
import type { ChatChange, ContactChange, ListedIds } from './list-changes.js';

const MAX_LABELS = 50;

function idFields({ lid, numberId }: ListedIds): Pick<ChatEntry, 'phone' | 'lid'> {
  const phone = personId(numberId)?.user;
  return { ...(phone === undefined ? {} : { phone }), ...(lid === undefined ? {} : { lid }) };
}

/** The chat after a change; undefined if it is not listed any more, or still not. */
export function changedChat(before: ChatEntry | undefined, change: ChatChange): ChatEntry | undefined {
  if (change.isDeleted === true) return undefined;
  if (before === undefined && change.creates !== true) return undefined;
  const { isPast = false, set = {}, moreUnread = 0, last } = change;
  const known: ChatEntry = before ?? {};
  const after: ChatEntry = {
    ...(isPast ? { ...set, ...known } : { ...known, ...set }),
    ...idFields(change.ids),
    ...laterOf(known.at, set.at),
  };
  if (moreUnread > 0) after.unread = (known.unread ?? 0) + moreUnread;
  if (last !== undefined && (known.last === undefined || last.at >= known.last.at)) after.last = last;
  if (after.last !== undefined && change.read?.includes(after.last.id)) {
    after.unread = 0;
    after.isMarkedUnread = false;
  }
  if (change.gone === 'all' || (after.last !== undefined && change.gone?.includes(after.last.id))) {
    delete after.last;
  }
  if (change.gone === 'all') after.unread = 0;
  const { added = [], removed = [] } = change.labels ?? {};
  if (added.length > 0 || removed.length > 0) {
    const labels = new Set([...(known.labels ?? []), ...added]);
    for (const label of removed) labels.delete(label);
    after.labels = [...labels].slice(-MAX_LABELS);
  }
  return after;
}

function laterOf(one: number | undefined, other: number | undefined): Pick<ChatEntry, 'at'> {
  const at = Math.max(one ?? 0, other ?? 0);
  return at === 0 ? {} : { at };
}

/** One chat of two that turned out to be of the same person. */
export function mergedChat(one: ChatEntry, other: ChatEntry): ChatEntry {
  const [older, newer] = (one.at ?? 0) <= (other.at ?? 0) ? [one, other] : [other, one];
  const last = (older.last?.at ?? 0) > (newer.last?.at ?? 0) ? older.last : (newer.last ?? older.last);
  const labels = [...new Set([...(older.labels ?? []), ...(newer.labels ?? [])])].slice(-MAX_LABELS);
  return {
    ...older,
    ...newer,
    ...(last === undefined ? {} : { last }),
    ...(labels.length === 0 ? {} : { labels }),
    unread: (one.unread ?? 0) + (other.unread ?? 0),
  };
}

/** The contact after a change; undefined if it is not listed: nothing but its ids is known. */
export function changedContact(
  before: ContactEntry | undefined,
  { ids, isPast = false, set }: ContactChange,
): ContactEntry | undefined {
  const entries = Object.entries(isPast ? { ...set, ...before } : { ...before, ...set });
  const after: ContactEntry = Object.fromEntries(entries.filter(([, value]) => value !== null));
  const isListed =
    [after.name, after.pushName, after.businessName, after.username].some((name) => name !== undefined) ||
    after.blocked === true;
  return isListed ? { ...after, ...idFields(ids) } : undefined;
}

/** One contact of two that turned out to be the same person. */
export function mergedContact(one: ContactEntry, other: ContactEntry): ContactEntry {
  return { ...one, ...other };
}
