import type { CommandLane } from '@wafleet/contract';
import type { SessionRef } from './session-ref.js';

/**
 * Builds all keys and channel names. Only `events/resume-index.lua` builds two of them as well. Braces hold the hash tag:
 * all keys with the same tag live in one slot of a Redis Cluster, so that one script can reach them.
 *
 * | key                             | type   | holds                                                            |
 * |---------------------------------|--------|------------------------------------------------------------------|
 * | wf:{<tenant>}:tenant            | hash   | name, createdAt                                                  |
 * | wf:{<tenant>}:sessions          | set    | ids of the tenant's sessions                                     |
 * | wf:{<tenant>}:session-order     | zset   | the same ids, by the time of the sessions' creation, ms          |
 * | wf:{<tenant>}:session:<id>      | hash   | directory entry: desired, status, reason, since, phone, link, …  |
 * | wf:{<tenant>}:owner:<id>        | hash   | owner record: epoch, worker (absent if it has no owner), and     |
 * |                                 |        | the last batch of events: batch                                  |
 * | wf:{<tenant>}:purged-epoch      | string | the highest epoch of the tenant's purged sessions                |
 * | wf:{<tenant>}:owned:<worker>    | set    | ids of the tenant's sessions that the worker owns                |
 * | wf:{<tenant>}:unowned           | set    | ids of the tenant's sessions that want a worker and have none    |
 * | wf:{<tenant>}:settings:<id>     | hash   | what was set for the session: plain (JSON), proxy (sealed),      |
 * |                                 |        | version                                                          |
 * | wf:{<tenant>}:call-replies:<id> | zset   | callers who were sent a message, by when, ms; expires            |
 * | wf:{<tenant>}:sends:<id>        | zset   | digests of the messages of the last minute, by when, ms; expires |
 * | wf:{<tenant>}:new-chats:<id>    | zset   | digests of the people who were written to first in the last 24 h, |
 * |                                 |        | by when, ms; expires                                             |
 * | wf:{<tenant>}:known-chats:<id>  | zset   | digests of the people who have a chat with the account, by when  |
 * |                                 |        | that was last seen, ms; expires                                  |
 * | wf:{<tenant>}:send-pause:<id>   | hash   | WhatsApp's refusals: refusals, since; and the pause that they led |
 * |                                 |        | to: level, until, reason; expires                                |
 * | wf:{<tenant>}:auth:<id>         | hash   | sealed credentials: `creds` and `<type>:<id>`; `import`, sealed  |
 * |                                 |        | for workers, until the first one has opened the session          |
 * | wf:{<tenant>}:exported:<id>:<export> | string | what became of an export: its bundle or why not; expires    |
 * | wf:{<tenant>}:qr:<id>           | hash   | QR code on show; expires with it                                 |
 * | wf:{<tenant>}:pairing:<id>      | hash   | pairing code on show; expires with it                            |
 * | wf:{<tenant>}:passkey-link:<id> | string | the SHA-256 of the token that is good for the session's passkey; expires |
 * | wf:{<tenant>}:messages:<id>:<n> | hash   | sealed recent messages of the days whose number is n modulo 8    |
 * | wf:{<tenant>}:media:<id>:<n>    | hash   | the file descriptions of messages of those days: author and      |
 * |                                 |        | sealed file by the message's id                                  |
 * | wf:{<tenant>}:uploads:<id>      | hash   | uploads by their ids: description, and the file, sealed for      |
 * |                                 |        | workers (JSON); expires                                          |
 * | wf:{<tenant>}:upload-ends:<id>  | zset   | ids of uploads, by when they expire, ms; expires                 |
 * | wf:{<tenant>}:secrets:<id>     | hash   | sealed secrets of messages by the messages' ids                  |
 * | wf:{<tenant>}:secrets-before:<id> | hash | those of earlier ones; both expire                             |
 * | wf:{<tenant>}:finished:<id>     | string | digests of the messages whose events are in the log, 8 characters each |
 * | wf:{<tenant>}:finished-before:<id> | string | those of earlier ones; both expire                            |
 * | wf:{<tenant>}:chats:<id>        | hash   | a session's list of chats: sealed chats by WhatsApp's ids        |
 * | wf:{<tenant>}:chat-order:<id>   | zset   | the same ids, by when something last happened in the chat        |
 * | wf:{<tenant>}:contacts:<id>     | hash   | a session's list of contacts: sealed contacts by WhatsApp's ids  |
 * | wf:{<tenant>}:contact-order:<id> | zset  | the same ids: saved contacts above others, later ones above earlier ones |
 * | wf:{<tenant>}:list-notes:<id>   | hash   | of both lists: seq, the number of the last entry that got a place; |
 * |                                 |        | filled: whether they were filled; whether entries were dropped   |
 * | wf:{<tenant>}:log               | stream | the tenant's events; entry id = `<log epoch>-<seq>`              |
 * | wf:{<tenant>}:log-head          | hash   | epoch and seq of the last event; life: the server's life in      |
 * |                                 |        | which the epoch began; markAt: when the next mark is due; trimTo: |
 * |                                 |        | the position up to which the log must still be trimmed; bytes: all |
 * |                                 |        | bytes of live events that writers ever counted; bytesMarkAt:     |
 * |                                 |        | when the next mark of these is due; history and parts: bytes and |
 * |                                 |        | number of the parts of histories that are kept                   |
 * | wf:{<tenant>}:log-marks         | list   | the position of the last event at a time, to trim the log by age |
 * | wf:{<tenant>}:log-bytes         | list   | the position of the last event at a number of bytes, to trim the |
 * |                                 |        | log by bytes                                                     |
 * | wf:{<tenant>}:log-history       | list   | parts of histories in the log, oldest first: position and bytes  |
 * | wf:{<tenant>}:events            | shard channel | the same events as they happen                            |
 * | wf:{<tenant>}:resume:<hash>     | hash   | a client's subscription and its progress; expires                |
 * | wf:{<tenant>}:removal           | hash   | of a tenant that is being removed: since and, once it is wiped,  |
 * |                                 |        | purgedAt, ms; then it expires                                    |
 * | wf:{<tenant>}:removal-turn      | string | the edge that goes on with the removal; expires                  |
 * | wf:{<tenant>}:audit             | stream | what the tenant's API keys removed, imported and exported;       |
 * |                                 |        | expires                                                          |
 * | wf:{<tenant>}:limits            | hash   | the limits that the administrator set, by name                   |
 * | wf:{<tenant>}:rate:<name>       | string | when a bucket of tokens is full again, ms; expires then          |
 * | wf:{<tenant>}:leases:<resource> | zset   | uses of a resource, by when they stop counting, ms; expires      |
 * | wf:{<tenant>}:idempotency:<record> | hash | a call with an Idempotency-Key: fingerprint, tries, token and until |
 * |                                 |        | while it runs, answer (JSON) when it has ended; expires. The     |
 * |                                 |        | record is `<session id>/<digest>`, without an id for calls of no |
 * |                                 |        | session                                                          |
 * | wf:{<tenant>}:idempotency-ends  | zset   | these records, by when they expire, ms; expires                  |
 * | wf:{<tenant>}:job:<id>          | hash   | a job that sends messages: see jobs/job-record.ts; expires       |
 * | wf:{<tenant>}:job-texts:<id>    | list   | its messages (JSON), until it has ended                          |
 * | wf:{<tenant>}:job-results:<id>  | list   | the recipient of each message, and what became of it; expires    |
 * | wf:{<tenant>}:jobs              | zset   | the tenant's jobs, by when they were made, ms                    |
 * | wf:{<tenant>}:jobs-active       | zset   | those that have not ended, by when they expire, ms               |
 * | wf:{<tenant>}:jobs-ended        | zset   | those that have ended, by when, ms                               |
 * | wf:{<tenant>}:job-sizes         | hash   | job → bytes of it, `*` → of all                                  |
 * | wf:{<tenant>}:resumes:<key id>  | zset   | hash → when that record was last written, ms; expires            |
 * | wf:{<tenant>}:resume-sizes:<key id> | hash | hash → bytes of that record; expires                           |
 * | wf:{<tenant>}:resume-totals     | hash   | key id → bytes of its records, `*` → of all, `#` → how many      |
 * |                                 |        | records there are; expires                                       |
 * | wf:tenants                      | set    | ids of all tenants                                               |
 * | wf:tenant-removals              | set    | ids of tenants that are being removed                            |
 * | wf:audit                        | stream | what the administrator did, one field `entry` (JSON)             |
 * | wf:{<tenant>}:keys              | zset   | ids of the tenant's API keys, by when they are forgotten, ms     |
 * | wf:key:<first half of SHA-256>  | hash   | API key: id, hash, tenantId, createdAt, scopes, name, sessions,  |
 * |                                 |        | expiresAt, lastUsedAt; goes seven days after expiresAt, as the   |
 * |                                 |        | next one does                                                    |
 * | wf:passkey-token:<first half of SHA-256> | string | a token for a session's passkey: hash, tenantId, sessionId (JSON);  |
 * |                                 |        | expires                                                          |
 * | wf:key-id:<key id>              | string | the half of the hash that finds the key                          |
 * | wf:{workers}:lease:<worker>     | string | present while the incarnation lives; expires                     |
 * | wf:{workers}:identity:<name>    | string | the incarnation that has the identity; expires with its lease    |
 * | wf:{workers}:owners             | set    | workers that may own sessions                                    |
 * | wf:{workers}:tenants:<worker>   | set    | tenants whose sessions the worker may own                        |
 * | wf:{workers}:heartbeats         | hash   | worker → heartbeat (JSON)                                        |
 * | wf:{workers}:lifelines          | hash   | worker → what was seen of its lifeline; `run`: the server's run  |
 * | wf:{workers}:lifeline:<token>   | shard channel | has a subscriber while that connection of a worker is open |
 * | wf:{workers}:pulse              | hash   | when a process of the cluster last wrote, and resumed writing    |
 * | wf:{workers}:drains             | zset   | workers that drain, by the end of their turn, ms                 |
 * | wf:{workers}:drain-line         | zset   | workers that wait for a turn, by the end of their time, ms       |
 * | wf:{workers}:drain-line-life    | zset   | the same, by the time they stop counting unless they ask again, ms |
 * | wf:{workers}:inbox:<worker>     | stream | commands that wait for the worker or are being carried out       |
 * | wf:{workers}:commands:<lane>:<tenant> | zset | ids of the tenant's commands that are under way, by their   |
 * |                                 |        | deadlines, ms; expires. `<tenant>/<session>` for a session's     |
 * | wf:{connects}:bucket            | hash   | tokens for connects to WhatsApp, of all workers together         |
 * | wf:{connects}:versions          | hash   | versions of the client: which one sessions report, and what is   |
 * |                                 |        | known of each                                                    |
 * | wf:{placement}:tenants          | zset   | tenants that may have sessions without a worker, by when the last |
 * |                                 |        | one was noted, ms                                                |
 * | wf:{placement}:line:<tenant>:<reason> | zset | the tenant's sessions that wait for a placement              |
 * | wf:{jobs}:due                   | zset   | jobs (`<tenant>/<job>`), by when an edge is to look at them, ms  |
 * | wf:{jobs}:turns                 | zset   | tenants, by when a job of theirs was last taken, ms              |
 * | wf:{jobs}:checked               | string | present while no edge needs to look for jobs that are not due at any |
 * |                                 |        | time; expires                                                    |
 * | wf:{<client>}:replies           | shard channel | replies to a client's commands                            |
 * | wf:edge:<edge>                  | string | present while the edge runs: where it takes requests of other    |
 * |                                 |        | edges (JSON); expires                                            |
 * | wf:{edges}:counting             | zset   | edges, by the time their counts of sockets expire, ms            |
 * | wf:{edges}:sockets:key:<key id> | hash   | edge → how many sockets of the API key it has; expires.          |
 * |                                 |        | `tenant:<tenant>` for those of a tenant                          |
 * | wf:wrong-keys:<address>         | string | when the bucket of wrong keys of an address is full again, ms;   |
 * |                                 |        | expires then                                                     |
 * | wf:wrong-admin-tokens:<address> | hash   | wrong: how many an address has shown; until: when the next one   |
 * |                                 |        | is looked at, ms; expires                                        |
 * | wf:account:<number>:<device>:<digest> | hash | the session that has this device, with these keys: session     |
 * |                                 |        | (`<tenant>/<id>`), which of that id: madeBy, and until when an   |
 * |                                 |        | import has reserved it: until, ms                                |
 * | wf:worker-box-key               | string | the public key by which edges seal for workers                   |
 * | wf:encryption-canary            | string | a sealed constant that verifies the ENCRYPTION_KEY               |
 * | wf:write-probe                  | string | written to find out whether Redis takes writes; expires          |
 */

/** How many daily buckets the recent messages and files of a session rotate through. */
const DAILY_BUCKETS = 8;

function dailyBuckets(prefix: string): string[] {
  return Array.from({ length: DAILY_BUCKETS }, (_, bucket) => `${prefix}:${bucket}`);
}

export const keys = {
  tenants: 'wf:tenants',
  tenantRemovals: 'wf:tenant-removals',
  audit: 'wf:audit',
  owners: 'wf:{workers}:owners',
  unownedTenants: 'wf:{placement}:tenants',
  heartbeats: 'wf:{workers}:heartbeats',
  lifelines: 'wf:{workers}:lifelines',
  drainTurns: 'wf:{workers}:drains',
  drainLine: 'wf:{workers}:drain-line',
  drainLineLife: 'wf:{workers}:drain-line-life',
  pulse: 'wf:{workers}:pulse',
  encryptionCanary: 'wf:encryption-canary',
  workerBoxKey: 'wf:worker-box-key',
  writeProbe: 'wf:write-probe',
  connectBucket: 'wf:{connects}:bucket',
  clientVersions: 'wf:{connects}:versions',
  jobsDue: 'wf:{jobs}:due',
  jobTurns: 'wf:{jobs}:turns',
  jobsChecked: 'wf:{jobs}:checked',

  tenant: (tenantId: string) => `wf:{${tenantId}}:tenant`,
  sessions: (tenantId: string) => `wf:{${tenantId}}:sessions`,
  sessionOrder: (tenantId: string) => `wf:{${tenantId}}:session-order`,
  session: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:session:${sessionId}`,
  owner: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:owner:${sessionId}`,
  owned: (tenantId: string, workerId: string) => `wf:{${tenantId}}:owned:${workerId}`,
  purgedEpoch: (tenantId: string) => `wf:{${tenantId}}:purged-epoch`,
  unowned: (tenantId: string) => `wf:{${tenantId}}:unowned`,
  auth: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:auth:${sessionId}`,
  settings: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:settings:${sessionId}`,
  callReplies: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:call-replies:${sessionId}`,
  sends: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:sends:${sessionId}`,
  newChats: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:new-chats:${sessionId}`,
  knownChats: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:known-chats:${sessionId}`,
  sendPause: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:send-pause:${sessionId}`,
  exported: ({ tenantId, sessionId }: SessionRef, exportId: string) =>
    `wf:{${tenantId}}:exported:${sessionId}:${exportId}`,
  qr: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:qr:${sessionId}`,
  pairingCode: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:pairing:${sessionId}`,
  passkeyLink: ({ tenantId, sessionId }: SessionRef) => `wf:{${tenantId}}:passkey-link:${sessionId}`,
  messages: ({ tenantId, sessionId }: SessionRef) => dailyBuckets(`wf:{${tenantId}}:messages:${sessionId}`),
  media: ({ tenantId, sessionId }: SessionRef) => dailyBuckets(`wf:{${tenantId}}:media:${sessionId}`),
  uploads: ({ tenantId, sessionId }: SessionRef) => [
    `wf:{${tenantId}}:uploads:${sessionId}`,
    `wf:{${tenantId}}:upload-ends:${sessionId}`,
  ],
  secrets: ({ tenantId, sessionId }: SessionRef) => [
    `wf:{${tenantId}}:secrets:${sessionId}`,
    `wf:{${tenantId}}:secrets-before:${sessionId}`,
  ],
  finished: ({ tenantId, sessionId }: SessionRef) => [
    `wf:{${tenantId}}:finished:${sessionId}`,
    `wf:{${tenantId}}:finished-before:${sessionId}`,
  ],
  /** Of the lists of chats and contacts: entries and order of each, and what is noted of both. */
  lists: ({ tenantId, sessionId }: SessionRef) =>
    [
      `wf:{${tenantId}}:chats:${sessionId}`,
      `wf:{${tenantId}}:chat-order:${sessionId}`,
      `wf:{${tenantId}}:contacts:${sessionId}`,
      `wf:{${tenantId}}:contact-order:${sessionId}`,
      `wf:{${tenantId}}:list-notes:${sessionId}`,
    ] as const,
  log: (tenantId: string) => `wf:{${tenantId}}:log`,
  logHead: (tenantId: string) => `wf:{${tenantId}}:log-head`,
  logMarks: (tenantId: string) => `wf:{${tenantId}}:log-marks`,
  logBytes: (tenantId: string) => `wf:{${tenantId}}:log-bytes`,
  logHistory: (tenantId: string) => `wf:{${tenantId}}:log-history`,
  tenantRemoval: (tenantId: string) => `wf:{${tenantId}}:removal`,
  tenantRemovalTurn: (tenantId: string) => `wf:{${tenantId}}:removal-turn`,
  tenantAudit: (tenantId: string) => `wf:{${tenantId}}:audit`,
  tenantLimits: (tenantId: string) => `wf:{${tenantId}}:limits`,
  tenantRate: (tenantId: string, name: string) => `wf:{${tenantId}}:rate:${name}`,
  tenantLeases: (tenantId: string, resource: string) => `wf:{${tenantId}}:leases:${resource}`,
  idempotency: (tenantId: string, record: string) => `wf:{${tenantId}}:idempotency:${record}`,
  idempotencyEnds: (tenantId: string) => `wf:{${tenantId}}:idempotency-ends`,
  jobRecord: (tenantId: string, jobId: string) => `wf:{${tenantId}}:job:${jobId}`,
  jobTexts: (tenantId: string, jobId: string) => `wf:{${tenantId}}:job-texts:${jobId}`,
  jobResults: (tenantId: string, jobId: string) => `wf:{${tenantId}}:job-results:${jobId}`,
  jobs: (tenantId: string) => `wf:{${tenantId}}:jobs`,
  jobsActive: (tenantId: string) => `wf:{${tenantId}}:jobs-active`,
  jobsEnded: (tenantId: string) => `wf:{${tenantId}}:jobs-ended`,
  jobSizes: (tenantId: string) => `wf:{${tenantId}}:job-sizes`,
  /** The prefix of the names of a tenant's keys. */
  ofTenant: (tenantId: string) => `wf:{${tenantId}}:`,
  resume: (tenantId: string, hash: string) => `wf:{${tenantId}}:resume:${hash}`,
  resumeTotals: (tenantId: string) => `wf:{${tenantId}}:resume-totals`,

  apiKeys: (tenantId: string) => `wf:{${tenantId}}:keys`,
  apiKey: (lookup: string) => `wf:key:${lookup}`,
  passkeyToken: (lookup: string) => `wf:passkey-token:${lookup}`,
  apiKeyId: (keyId: string) => `wf:key-id:${keyId}`,

  lease: (workerId: string) => `wf:{workers}:lease:${workerId}`,
  tenantsOf: (workerId: string) => `wf:{workers}:tenants:${workerId}`,
  identity: (identity: string) => `wf:{workers}:identity:${identity}`,
  inbox: (workerId: string) => `wf:{workers}:inbox:${workerId}`,

  account: (device: string) => `wf:account:${device}`,

  edge: (edgeId: string) => `wf:edge:${edgeId}`,
  edgesCounting: 'wf:{edges}:counting',
  socketCounts: (of: string) => `wf:{edges}:sockets:${of}`,

  wrongKeys: (address: string) => `wf:wrong-keys:${address}`,
  wrongAdminTokens: (address: string) => `wf:wrong-admin-tokens:${address}`,

  placementLine: (tenantId: string, reason: string) => `wf:{placement}:line:${tenantId}:${reason}`,
} as const;

/** The keys that count a command as under way: that of its tenant, and for a call also that of its session. */
export function countedIn(lane: CommandLane, { tenantId, sessionId }: SessionRef): string[] {
  if (lane === 'control') return [];
  const ofTenant = `wf:{workers}:commands:${lane}:${tenantId}`;
  return lane === 'calls' ? [ofTenant, `${ofTenant}/${sessionId}`] : [ofTenant];
}

/** Whether a key belongs to the tenant, by its name. That of an API key does not show its tenant. */
export function isKeyOfTenant(key: string, tenantId: string): boolean {
  return (
    key.startsWith(keys.ofTenant(tenantId)) ||
    key.startsWith(keys.placementLine(tenantId, '')) ||
    key === keys.socketCounts(`tenant:${tenantId}`) ||
    (['calls', 'media'] as const).some((lane) => {
      const [ofTenant = ''] = countedIn(lane, { tenantId, sessionId: '' });
      return key === ofTenant || key.startsWith(`${ofTenant}/`);
    })
  );
}

export const channels = {
  events: (tenantId: string) => `wf:{${tenantId}}:events`,
  lifeline: (token: string) => `wf:{workers}:lifeline:${token}`,
  replies: (clientId: string) => `wf:{${clientId}}:replies`,
} as const;
