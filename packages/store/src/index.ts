export { linkedDevice } from './accounts/linked-device.js';
export { type AuditedAct, AuditLog, type AuditLogOf } from './audit/audit-log.js';
export { AuthCache } from './auth/auth-cache.js';
export { decodeAuthValue } from './auth/auth-codec.js';
export { AuthStateStore, deleteAuthState, type StoredAuthState } from './auth/auth-state.js';
export { Cipher, SealedValueError } from './auth/cipher.js';
export { verifyEncryptionKey } from './auth/encryption-check.js';
export { ReplyBox, sealReply } from './auth/reply-box.js';
export { WorkerBoxes } from './auth/worker-box.js';
export { type CallOptions, CommandClient } from './commands/command-client.js';
export { CommandServer } from './commands/command-server.js';
export { NotOwnerError, NotSupportedError, type WorkerCommand } from './commands/worker-command.js';
export {
  EDGE_LIFE_MS,
  type EdgeRegistration,
  EdgeRegistry,
  type PeerAddress,
} from './edges/edge-registry.js';
export {
  EDGE_COUNTS_MS,
  SOCKET_COUNTS_LIFE_MS,
  SocketCounts,
  type SocketOwner,
} from './edges/socket-counts.js';
export { EventChannel } from './events/event-channel.js';
export {
  EVENT_LOG_BOUNDS,
  EventLog,
  type EventLogBounds,
  EventTooLargeError,
  type LogPage,
  type OutgoingEvent,
} from './events/event-log.js';
export type { LoggedEvent } from './events/logged-event.js';
export {
  type ResumePoint,
  type ResumeRecord,
  ResumeRecords,
  type ResumeRef,
} from './events/resume-records.js';
export {
  type IdempotencyClaim,
  type IdempotencyRecord,
  IdempotencyRecords,
} from './idempotency/idempotency-records.js';
export type { JobRecord, JobRef, StoredResult } from './jobs/job-record.js';
export {
  type JobClaim,
  type JobProgress,
  type JobRun,
  JobRuns,
  type MessageOutcome,
  type NextMessage,
  RUN_HOLDS_MS,
} from './jobs/job-runs.js';
export { JobWakeUps, type WakeUp } from './jobs/job-wake-ups.js';
export { type JobChange, jobNotFound, MessageJobs } from './jobs/message-jobs.js';
export {
  AccountLists,
  deleteLists,
  type ListedEntry,
  type ListPage,
  ListsOfSession,
  type SealedEntry,
} from './lists/account-lists.js';
export type { ChatEntry, ContactEntry } from './lists/list-entries.js';
export { MessageSecrets, type SealedSecret, type SecretsOfSession } from './messages/message-secrets.js';
export { digestOfMessage, type KnownDigests, ProcessedMessages } from './messages/processed-messages.js';
export { type ReceivedFile, ReceivedMedia } from './messages/received-media.js';
export { RecentMessages } from './messages/recent-messages.js';
export { type ExportOutcome, SessionExports } from './moving/session-exports.js';
export { type ImportedSession, SessionImports } from './moving/session-imports.js';
export { type Pause, SendPauses } from './pacing/send-pauses.js';
export { type PacingPolicy, SessionPacing, type TakenSend } from './pacing/session-pacing.js';
export { PlacementRanks } from './placement/placement-ranks.js';
export { connectRedis, type RedisConnection, type RedisRole } from './redis/connection.js';
export { lacksChannels } from './redis/reconnecting-redis.js';
export { refusalOf } from './redis/redis-refusal.js';
export { isRedisUnreachable } from './redis/redis-unreachable.js';
export { requireRedis } from './redis/require-redis.js';
export { type Fence, FencedError, type SessionRef } from './redis/session-ref.js';
export { UnreadableRecords } from './redis/unreadable-records.js';
export { SharedWriteProbe, writeProbe } from './redis/write-probe.js';
export { CallReplies } from './sessions/call-replies.js';
export { LinkOffers, type PairingOffer, type QrOffer } from './sessions/link-offers.js';
export { type ClaimResult, type OwnerRecord, Ownership } from './sessions/ownership.js';
export { PasskeyLinks } from './sessions/passkey-links.js';
export { type DeferredRemoval, deferRemoval } from './sessions/removal-pauses.js';
export { type Arrival, noteArrivals } from './sessions/session-arrivals.js';
export { type NewSessionOptions, SessionDirectory, type StatusUpdate } from './sessions/session-directory.js';
export {
  type DesiredState,
  type ExportRequest,
  RECORD_UNREADABLE,
  type SessionRecord,
} from './sessions/session-entry.js';
export { SessionIndex } from './sessions/session-index.js';
export { type SessionPage, SessionPages } from './sessions/session-pages.js';
export { SessionSettingsRecords, type SettingsRecord } from './settings/session-settings-records.js';
export {
  ProxyUnreadableError,
  SessionSettingsStore,
  type StoredSettings,
} from './settings/session-settings-store.js';
export { type ApiKeyChanges, type ApiKeyRecord, ApiKeys, type NewApiKey } from './tenants/api-keys.js';
export { TenantDirectory, type TenantRecord } from './tenants/tenant-directory.js';
export { type LeasedResource, TenantLeases } from './tenants/tenant-leases.js';
export { parseTenantLimits, type TenantLimitChanges, TenantLimitTable } from './tenants/tenant-limits.js';
export { type BucketState, type RateBucket, type TakenTokens, TenantRates } from './tenants/tenant-rates.js';
export { type TenantRemovalState, TenantRemovals } from './tenants/tenant-removals.js';
export { TenantUsage } from './tenants/tenant-usage.js';
export { type AdminTokenWaits, WrongGuesses } from './tenants/wrong-guesses.js';
export { UploadBoxes } from './uploads/upload-boxes.js';
export { type StoredUpload, UploadRecords } from './uploads/upload-records.js';
export {
  type ClientVersionRecord,
  ClientVersions,
  type ClientVersionsView,
  type VersionCheckOutcome,
} from './workers/client-versions.js';
export {
  type ConnectDemand,
  type ConnectGrant,
  type ConnectPurpose,
  ConnectRate,
  type ConnectReport,
} from './workers/connect-rate.js';
export { DRAIN_TURN_MS, DrainTurns } from './workers/drain-turns.js';
export { WorkerFailureDetector } from './workers/failure-detector.js';
export { Lifeline } from './workers/lifeline.js';
export {
  LEASE_MS,
  WORKER_FEATURES,
  type WorkerHeartbeat,
  WorkerRegistry,
  type WorkerState,
} from './workers/worker-registry.js';
