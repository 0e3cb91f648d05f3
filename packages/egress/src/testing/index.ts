export { proxyForTest } from './proxy-for-test.js';
