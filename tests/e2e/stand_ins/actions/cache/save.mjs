// Replaces actions/cache/save, with the same client.
import {saveCache} from '@actions/cache'
import * as core from '@actions/core'

saveCache(core.getMultilineInput('path'), core.getInput('key', {required: true}))
  .catch(error => core.setFailed(error.message))
  .finally(() => process.exit()) // the client keeps connections open
