/**
 * How many seconds' worth may come at once. When an edge ends, all its clients come together, with all they ask for.
 */
export const BURST_S = 10;

/** How much clients may do. */
export interface ClientLimits {
  /** Sockets of one API key, on all edges together. */
  readonly socketsPerKey: number;
  /**
   * New connections from one address to one edge, per second; ten times as many at once. A wrong API key counts as ten.
   */
  readonly handshakesPerAddress: number;
  /** New connections with one API key to one edge, per second; ten times as many at once. */
  readonly handshakesPerKey: number;
  /** Frames that one connection sends, per second; ten times as many at once. */
  readonly framesPerSecond: number;
  /** REST calls of a tenant under way at this edge. */
  readonly callsPerTenant: number;
  /** REST calls of an API key under way at this edge. */
  readonly callsPerKey: number;
  /** Connections of one address to this edge. For a trusted proxy, those that it carries count. */
  readonly connectionsPerAddress: number;
  /** Connections of all clients to this edge; 0 for as many as file descriptors allow. */
  readonly connections: number;
  /** Proxies whose `X-Forwarded-For` is believed. See ClientAddresses. */
  readonly trustedProxies: readonly string[];
  /** How many of these proxies a request passes, one after the other. */
  readonly proxyHops: number;
}

/** The limits that are counted when they are exceeded. */
export const LIMITS = [
  'handshakes_per_address',
  'wrong_keys_per_address',
  'wrong_admin_tokens',
  'connections_per_address',
  'connections',
  'handshakes_per_key',
  'sockets_per_key',
  'sockets',
  'replays',
  'replays_per_edge',
  'frames_per_socket',
  'frame_size',
  'sessions',
  'session_creations',
  'rest_units',
  'rest_units_per_key',
  'commands',
  'idempotency_keys',
  'calls_per_tenant',
  'calls_per_key',
  'calls_per_address',
  'inbox',
  'subscription_items',
  'media_downloads',
  'media_downloads_per_edge',
  'jobs',
  'paced_sends',
  'paced_new_chats',
  'sends_paused',
  'media_uploads',
  'media_uploads_per_edge',
  'uploads_per_session',
] as const;

export type Limit = (typeof LIMITS)[number];
