#!/usr/bin/env node
import { main } from '../mcp/main.mjs';

await main();
