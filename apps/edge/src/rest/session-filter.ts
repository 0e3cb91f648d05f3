import type { SessionPageQuery } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';
import { nameFilter } from './name-filter.js';

/** Whether a session is one that the query asks for; undefined if it asks for all. */
export function sessionFilter({
  status,
  name,
  phone,
}: SessionPageQuery): ((session: SessionRecord) => boolean) | undefined {
  if (status === undefined && name === undefined && phone === undefined) return undefined;
  const isNamed = nameFilter(name);
  return (session) =>
    (status === undefined || status.includes(session.status)) &&
    (phone === undefined || session.phone === phone) &&
    isNamed(session);
}

/** The header `Link` that leads to the next page of the same query. */
export function nextLink(query: SessionPageQuery): string {
  const fields = Object.entries(query).flatMap(([field, value]) =>
    value === undefined ? [] : [[field, String(value)] as [string, string]],
  );
  return `</api/sessions?${new URLSearchParams(fields)}>; rel="next"`;
}
