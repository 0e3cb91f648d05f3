export { ApiError, UnexpectedAnswerError } from './answer-errors.js';
export type { CallInput, CallName, CallReply } from './call-types.js';
export { type ClientOptions, WafleetClient } from './wafleet-client.js';
