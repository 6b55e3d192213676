#!/usr/bin/env node
import process from 'node:process';
import { main } from '../cli/main.mjs';

process.exitCode = await main();
