export {
  type FindBackend,
  ownUser,
  REDIS_IMAGE,
  type RunningServer,
  type ServerSettings,
  serverArguments,
} from './backends/backend.js';
export { endWithThisProcess } from './child-guard.js';
export { extractedProgram, extractProgram } from './debian-packages.js';
export { freePort } from './free-port.js';
export { sendCommand } from './resp.js';
export type { SentinelDuty } from './sentinel-config.js';
export {
  chooseBackend,
  type LocalRedis,
  type LocalRedisOptions,
  startLocalRedis,
} from './start-local-redis.js';
