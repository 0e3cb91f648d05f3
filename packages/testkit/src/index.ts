export { freePort } from '@wafleet/local-redis';
export type { ApiClient } from './api-client.js';
export { AppProcess, type AppProcessOptions, type Exit, type LogLine } from './app-process.js';
export { Cluster, type ClusterOptions, type Edge, startCluster, type TestTenant } from './cluster.js';
export { type CollectedEvent, collectEvents, EventCollector } from './event-collector.js';
export { ApiError } from './rest.js';
export { SeverablePort } from './severable-port.js';
export { startRedis, type TestRedis } from './start-redis.js';
export { type WaitOptions, waitFor } from './wait-for.js';
