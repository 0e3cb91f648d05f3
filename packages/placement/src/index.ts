export { Placer } from './placer.js';
export { PlacementQueue, type PlacementReason, type PlacementRequest } from './queue.js';
export { Sweeps } from './sweeps.js';
