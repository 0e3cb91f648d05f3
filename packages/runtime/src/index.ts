export * from './environment.js';
export * from './environment-fields.js';
export * from './health-server.js';
export * from './lifecycle.js';
export * from './logger.js';
export * from './redaction.js';
export * from './run-app.js';
export * from './start-error.js';
