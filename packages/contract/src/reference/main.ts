import { mkdirSync, writeFileSync } from 'node:fs';
import { DOCS, documents } from './documents.js';

mkdirSync(new URL('schemas/', DOCS), { recursive: true });
for (const [path, content] of documents()) writeFileSync(new URL(path, DOCS), content);
