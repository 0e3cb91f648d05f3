export { type ApiKeyRecord, ApiKeys, type NewApiKey } from './api-keys.js';
export { AuthCache } from './auth-cache.js';
export { decodeAuthValue } from './auth-codec.js';
export { AuthStateStore, deleteAuthState, type StoredAuthState } from './auth-state.js';
export { Cipher, SealedValueError } from './cipher.js';
export { type CallOptions, CommandClient } from './command-client.js';
export { CommandServer } from './command-server.js';
export { ConnectRate } from './connect-rate.js';
export { connectRedis, type RedisConnection, type RedisRole } from './connection.js';
export { DeathWatch } from './death-watch.js';
export { DRAIN_TURN_MS, DrainTurns } from './drain-turns.js';
export { EDGE_LIFE_MS, type EdgeRegistration, EdgeRegistry, type PeerAddress } from './edge-registry.js';
export { verifyEncryptionKey } from './encryption-check.js';
export { EventChannel } from './event-channel.js';
export {
  EVENT_LOG_BOUNDS,
  EventLog,
  type EventLogBounds,
  EventTooLargeError,
  type LogPage,
  type OutgoingEvent,
} from './event-log.js';
export { digestOfMessage, FinishedMessages, type KnownDigests } from './finished-messages.js';
export { Lifeline } from './lifeline.js';
export { LinkOffers, type PairingOffer, type QrOffer } from './link-offers.js';
export type { LoggedEvent } from './logged-event.js';
export { MessageSecrets, type SealedSecret, type SecretsOfSession } from './message-secrets.js';
export { RecentMessages } from './message-store.js';
export { type ClaimResult, type OwnerRecord, Ownership } from './ownership.js';
export { PlacementLines } from './placement-lines.js';
export { type ReceivedFile, ReceivedMedia } from './received-media.js';
export { lacksChannels } from './reconnecting-redis.js';
export { refusalOf } from './redis-refusal.js';
export { isRedisUnreachable } from './redis-unreachable.js';
export { type DeferredRemoval, deferRemoval } from './removal-pauses.js';
export { requireRedis } from './require-redis.js';
export { type ResumePoint, type ResumeRecord, ResumeRecords, type ResumeRef } from './resume-records.js';
export { type Arrival, noteArrivals } from './session-arrivals.js';
export { type DesiredState, RECORD_UNREADABLE, type SessionRecord } from './session-entry.js';
export { SessionIndex } from './session-index.js';
export { type SessionPage, SessionPages } from './session-pages.js';
export { type Fence, FencedError, type SessionRef } from './session-ref.js';
export { SessionDirectory, type StatusUpdate } from './sessions.js';
export { EDGE_COUNTS_MS, SOCKET_COUNTS_LIFE_MS, SocketCounts, type SocketOwner } from './socket-counts.js';
export { type LeasedResource, TenantLeases } from './tenant-leases.js';
export { parseTenantLimits, type TenantLimitChanges, TenantLimitTable } from './tenant-limits.js';
export { type BucketState, type RateBucket, type TakenTokens, TenantRates } from './tenant-rates.js';
export { TenantUsage } from './tenant-usage.js';
export { TenantDirectory } from './tenants.js';
export { UnreadableRecords } from './unreadable-records.js';
export { NotOwnerError, NotSupportedError, type WorkerCommand } from './worker-command.js';
export { LEASE_MS, type WorkerHeartbeat, WorkerRegistry, type WorkerState } from './worker-registry.js';
export { SharedWriteProbe, writeProbe } from './write-probe.js';
export { type AdminTokenWaits, WrongGuesses } from './wrong-guesses.js';
