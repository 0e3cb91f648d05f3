import { LINK_STEPS, type LinkProgress } from '@wafleet/contract';
import type { SessionRecord } from '@wafleet/store';

/** Steps that do not depend on the worker that reported them. */
const LASTING: ReadonlySet<string> = new Set(['waiting', 'confirmed', 'syncing']);

/**
 * How far linking a session to a phone has come. A session without a worker shows no code, whatever the worker that
 * died has reported last.
 */
export function linkOfSession({ status, link }: SessionRecord): LinkProgress | undefined {
  if (link === undefined || status !== 'queued' || LASTING.has(link.step)) return link;
  const { problem } = link;
  return { step: 'waiting', next: LINK_STEPS.waiting.next, ...(problem === undefined ? {} : { problem }) };
}
