import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionRef } from '../redis/session-ref.js';

/** How long a client version that WhatsApp refused does not connect: first this long, then twice as long each time. */
const PAUSE_MS = { first: 30_000, longest: 1_800_000 };
/** How long the sessions that try a version stay open before the others follow. */
const TRIAL_MS = 600_000;
/** How long a probe may take: a connect, which has a minute, and the way there and back. */
const PROBE_MS = 75_000;
/** How long a version is not probed after a probe without a verdict: first this long, then twice as long each time. */
const UNCLEAR_PAUSE_MS = { first: 5_000, longest: 300_000 };
/** The least time between two looks at WhatsApp's page that were asked for without knowing that a link failed. */
const UNCERTAIN_LOOK_MS = 600_000;

/** The share of the bucket that is reserved for connects that a person waits for. */
const RESERVE = 0.25;

export interface ConnectDemand {
  /** Connects that a person waits for, to link a phone. */
  readonly urgent: number;
  readonly others: number;
  /**
   * Sessions among the others that may try or probe a version: they were linked before, and their last connection did
   * not fail before it was open.
   */
  readonly mayTry?: readonly SessionRef[];
  /** Further sessions among the others that were linked before. They may probe a version if none of the former can. */
  readonly mayProbe?: readonly SessionRef[];
  /** Sessions that are to be linked. They may probe a version as long as it is not known to take logins. */
  readonly toLink?: readonly SessionRef[];
}

export interface ConnectGrant {
  readonly urgent: number;
  readonly others: number;
  /** ms after which a retry may succeed. An earlier retry does not. */
  readonly waitMs: number;
  /**
   * `closed`: as far as is known, WhatsApp accepts the version. `open`: it does not, and no worker connects with it; the
   * urgent connects that are granted report `linking.first`. `probe`: one connect was granted, to find out whether
   * WhatsApp accepts `version`.
   */
  readonly breaker: 'closed' | 'open' | 'probe';
  /** The version that the client is to report. */
  readonly version: string;
  /** Whether a session was opened with that version before. */
  readonly hasWorked: boolean;
  /** A newer version, and the sessions that are to try it with their permits. */
  readonly trial: { readonly version: string; readonly sessions: readonly SessionRef[] } | undefined;
  /** The session that makes the probe, if the demand named one for it. */
  readonly prober: SessionRef | undefined;
  /** What a client that is to be linked reports: at first, and after no phone was linked with that. */
  readonly linking: { readonly first: string; readonly second: string };
}

/** What a connect was granted for: see ConnectGrant. `normal` for all that is not one of the others. */
export type ConnectPurpose = 'normal' | 'probe' | 'trial' | 'link';

/** What came of a connect, as far as it says something of the version of the client. */
export interface ConnectReport {
  readonly version: string;
  readonly purpose: ConnectPurpose;
  /**
   * `accepted`: the client may be linked. `opened`: it is logged in. `refused`: WhatsApp refused the version. `failed`:
   * the connection ended before, for another reason. `unclear`: the same, for a reason that says nothing of the version,
   * such as an outage. `ended`: it ended after it was opened. `unused`: no connection was made.
   */
  readonly outcome: 'accepted' | 'opened' | 'refused' | 'failed' | 'unclear' | 'ended' | 'unused';
  /** Undefined if no session has used the permit. */
  readonly session: SessionRef | undefined;
}

export interface ConnectRateOptions {
  /** How many connects all workers together may make in a second. */
  readonly perSecond: number;
  /** The version of WhatsApp Web that this worker's code has, such as `2.3000.1`. */
  readonly clientVersion: string;
  /** Whether the worker reports that version, whatever the cluster knows. Default: false. */
  readonly isPinned?: boolean;
  /** How long the sessions that try a version stay open before the others follow, ms. Default: 10 minutes. */
  readonly trialMs?: number;
  readonly pauseMs?: { readonly first: number; readonly longest: number };
}

function nameOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}

function refOf(name: string): SessionRef {
  const slash = name.indexOf('/');
  return { tenantId: name.slice(0, slash), sessionId: name.slice(slash + 1) };
}

const takeConnects = new Script('workers/take-connects', (reply): ConnectGrant => {
  const [urgent, others, waitMs, breaker, version, hasWorked, trial, trying, first, second, prober] =
    asList(reply);
  const state = asText(breaker);
  if (state !== 'closed' && state !== 'open' && state !== 'probe') throw new TypeError(`a breaker ${state}`);
  const tried = asText(trial);
  const sessions = asList(trying).map((name) => refOf(asText(name)));
  const probing = asText(prober);
  return {
    urgent: asNumber(urgent),
    others: asNumber(others),
    waitMs: asNumber(waitMs),
    breaker: state,
    version: asText(version),
    hasWorked: asNumber(hasWorked) === 1,
    trial: tried === '' ? undefined : { version: tried, sessions },
    prober: probing === '' ? undefined : refOf(probing),
    linking: { first: asText(first), second: asText(second) },
  };
});
const reportConnect = new Script('workers/report-connect', asText);
const suspectVersion = new Script('workers/suspect-version', asNumber);

/**
 * Limits how fast all workers together connect to WhatsApp, by a token bucket in Redis and the clock of Redis. In any
 * time t (in seconds) at most `perSecond * (1 + t)` connects are granted. A quarter of them is reserved for connects
 * that a person waits for. Granted but unused connects are lost.
 *
 * Each grant comes with the version of WhatsApp Web that the client reports. All sessions report the same version, the
 * current one, except for these:
 *
 * - A newer version is first tried by up to five sessions of different tenants, which were linked before. When three of
 *   them have stayed open for `trialMs`, or all that tried it for six times as long, it becomes the current one. One
 *   refusal, or three tries that were never opened, end the trial. After a try that ended for a reason that says nothing
 *   of the version, further ones wait for a pause that doubles, and go one at a time until one is opened.
 * - When WhatsApp refuses the current version, its breaker opens, and one connect at a time probes. If the version has
 *   worked before, another session first probes it again: if that is opened, WhatsApp refuses the first session for a
 *   reason of its own, and what it answers to it counts for nothing for an hour. If that is refused as well, the newest
 *   version is probed that WhatsApp has not refused; if there is none, each of the refused ones after a pause that
 *   doubles with each refusal. The first version that a session is opened with becomes the current one. Codes to be
 *   linked with prove that only of a version that has worked before; any other one is then reported by clients that are
 *   to be linked.
 * - A session that is not linked has nothing to lose. If no phone was linked with one version, it is shown to WhatsApp
 *   with another one.
 *
 * A worker whose version is pinned reports that one alone, and has the breaker of that version.
 */
export class ConnectRate {
  readonly #redis: RedisConnection;
  readonly #options: ConnectRateOptions;

  constructor(redis: RedisConnection, options: ConnectRateOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** Takes the available tokens, at most the wanted number. */
  take(demand: ConnectDemand): Promise<ConnectGrant> {
    const { urgent, others, mayTry = [], mayProbe = [], toLink = [] } = demand;
    const { perSecond, clientVersion, pauseMs = PAUSE_MS } = this.#options;
    const reserve = Math.floor(perSecond * RESERVE);
    return takeConnects.run(
      this.#redis,
      [keys.connectBucket, keys.clientVersions],
      [
        ...[urgent, others, perSecond, reserve, PROBE_MS],
        ...[clientVersion, this.#isPinned, this.#trialMs],
        ...[pauseMs.first, pauseMs.longest, mayTry.length, mayProbe.length],
        ...[...mayTry, ...mayProbe, ...toLink].map(nameOf),
      ],
    );
  }

  /** Resolves to the version that all sessions report from now on, if that has changed. */
  async report({ version, purpose, outcome, session }: ConnectReport): Promise<string | undefined> {
    const { clientVersion, pauseMs = PAUSE_MS } = this.#options;
    const changedTo = await reportConnect.run(
      this.#redis,
      [keys.clientVersions],
      [
        ...[version, purpose, outcome, session === undefined ? '' : nameOf(session)],
        ...[pauseMs.first, pauseMs.longest, UNCLEAR_PAUSE_MS.first, UNCLEAR_PAUSE_MS.longest],
        ...[clientVersion, this.#isPinned, this.#trialMs],
      ],
    );
    return changedTo === '' ? undefined : changedTo;
  }

  /**
   * Call it when no phone was linked with a version. A placer then looks soon whether there is a newer one.
   * @param options.isCertain whether a phone has tried: then other sessions also begin with another version.
   */
  async suspectAtLinking(version: string, { isCertain }: { isCertain: boolean }): Promise<void> {
    await suspectVersion.run(
      this.#redis,
      [keys.clientVersions],
      [version, isCertain ? 1 : 0, UNCERTAIN_LOOK_MS],
    );
  }

  get #isPinned(): number {
    return this.#options.isPinned === true ? 1 : 0;
  }

  get #trialMs(): number {
    return this.#options.trialMs ?? TRIAL_MS;
  }
}
