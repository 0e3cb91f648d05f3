/** For the tests of packages and apps that use the store. */
export { executeCommand, type Handle, TestWorker, type TestWorkerOptions } from './test-worker.js';
