export type { PlacementReason, PlacementRequest } from './placement-request.js';
export { Placer } from './placer.js';
export { PlacementQueue } from './queue.js';
export { Sweeps } from './sweeps.js';
