import type { ConnectDemand, ConnectGrant, ConnectPurpose, SessionRef } from '@wafleet/store';
import { CLIENT_OUTDATED } from './connect-permit.js';

/**
 * What WhatsApp may answer to a version that it does not take: outdated, a bad user agent, an unknown client. The last two
 * have other causes too, so they count only for a version that is tried or probed. Source: whatsmeow,
 * ConnectFailureReason.
 */
const TRIAL_REFUSALS: ReadonlySet<number> = new Set([CLIENT_OUTDATED, 409, 418]);
/** Ends that say nothing of the version: timed out, cut, too many requests, unavailable. */
const OUTAGES: ReadonlySet<number> = new Set([408, 428, 429, 503]);

/**
 * For which link a session connects. `failedWith`: it is not linked, and no phone has linked it with that version.
 * `linkedWith`: a phone has linked it over a connection with that version.
 */
export type LinkStep = { readonly failedWith: string | undefined } | { readonly linkedWith: string };

/** What a waiting session may do with a version that is not known to work. See ConnectDemand. */
export type WaiterUsage = keyof Pick<ConnectDemand, 'mayTry' | 'mayProbe' | 'toLink'>;

/** The version of one connect, why it has that one, and what is reported of it. */
export interface VersionChoice {
  readonly version: string;
  readonly purpose: ConnectPurpose;
  readonly session: SessionRef | undefined;
  /** Whether a session was opened with the version before. */
  readonly hasWorked: boolean;
}

/** A session that waits for a permit, as far as its version depends on it. */
interface VersionUser {
  readonly session: SessionRef;
  readonly linking: LinkStep | undefined;
  readonly hasFailed: boolean;
}

/** Whether WhatsApp has refused the version, by its answer to a connect for that purpose. */
export function isRefusal(purpose: ConnectPurpose, statusCode: number): boolean {
  return statusCode === CLIENT_OUTDATED || (purpose !== 'normal' && TRIAL_REFUSALS.has(statusCode));
}

export function isSame(a: SessionRef, b: SessionRef): boolean {
  return a.tenantId === b.tenantId && a.sessionId === b.sessionId;
}

/** What this session may do; `isOther`: no person waits for it. */
export function usageOf({ linking, hasFailed }: VersionUser, isOther: boolean): WaiterUsage {
  if (linking !== undefined && 'failedWith' in linking) return 'toLink';
  return linking === undefined && !hasFailed && isOther ? 'mayTry' : 'mayProbe';
}

/** What an end with this code, before the session was open, says of the version. */
export function endOf(statusCode: number): 'unused' | 'unclear' | 'failed' {
  if (statusCode === 0) return 'unused';
  return OUTAGES.has(statusCode) ? 'unclear' : 'failed';
}

/** Chooses the version of the next connect. Removes the session from `trying` if it gets the version on trial. */
export function choiceFor(
  waiter: VersionUser | undefined,
  { breaker, version, hasWorked, trial, prober, linking }: ConnectGrant,
  trying: SessionRef[],
): VersionChoice {
  const session = waiter?.session ?? prober;
  const usual = { version, purpose: 'normal', session, hasWorked } as const;
  if (breaker === 'probe') return { ...usual, purpose: 'probe' };
  if (waiter === undefined || session === undefined) return usual;
  if (breaker === 'open') {
    const step = waiter.linking ?? { failedWith: undefined };
    return { ...usual, version: versionToLinkWith(step, linking), purpose: 'link' };
  }
  if (waiter.linking === undefined) {
    const index = trying.findIndex((each) => isSame(each, session));
    if (trial === undefined || index === -1) return usual;
    trying.splice(index, 1);
    return { ...usual, version: trial.version, purpose: 'trial' };
  }
  const chosen = versionToLinkWith(waiter.linking, linking);
  return chosen === version ? usual : { ...usual, version: chosen, purpose: 'link' };
}

function versionToLinkWith(step: LinkStep, { first, second }: ConnectGrant['linking']): string {
  if ('linkedWith' in step) return step.linkedWith;
  return first === step.failedWith ? second : first;
}
