// Replaces actions/cache/restore, with the same client.
import {restoreCache} from '@actions/cache'
import * as core from '@actions/core'

async function restore() {
  const key = core.getInput('key', {required: true})
  const hit = await restoreCache(core.getMultilineInput('path'), key, core.getMultilineInput('restore-keys'))
  core.setOutput('cache-hit', String(hit === key))
  core.info(hit ? `Cache restored from key: ${hit}` : `Cache not found for input keys: ${key}`)
}

restore()
  .catch(error => core.setFailed(error.message))
  .finally(() => process.exit()) // the client keeps connections open
