export { proxyForTest } from './proxy-for-test.js';
export { type Answer, answering, type WebServerForTest, webServerForTest } from './web-server-for-test.js';
