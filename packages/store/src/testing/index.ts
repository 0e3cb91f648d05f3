/** For the tests of packages and apps that use the store. */
export { everythingIn } from './everything-in.js';
export { executeCommand, type Handle, TestWorker, type TestWorkerOptions } from './test-worker.js';
