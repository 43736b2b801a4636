// Replaces actions/download-artifact: an artifact is a folder in $E2E_ARTIFACTS.
import * as core from '@actions/core'
import fs from 'node:fs'
import path from 'node:path'
import {minimatch} from 'minimatch'

function download() {
  const name = core.getInput('name')
  const here = path.resolve(core.getInput('path') || '.')
  const there = fs.readdirSync(process.env.E2E_ARTIFACTS)
  if (name && !there.includes(name)) {
    throw new Error(`Unable to download artifact(s): Artifact not found for name: ${name}`)
  }
  const isWanted = artifact => (name ? artifact === name : minimatch(artifact, core.getInput('pattern') || '*'))
  const found = there.filter(isWanted)
  // A single artifact gets no folder, with a name and with a pattern.
  const isMerged = found.length === 1 || core.getInput('merge-multiple') === 'true'
  for (const artifact of found) {
    fs.cpSync(path.join(process.env.E2E_ARTIFACTS, artifact), isMerged ? here : path.join(here, artifact), {recursive: true})
  }
  core.info(`${found.length} artifacts have been downloaded`)
}

try {
  download()
} catch (error) {
  core.setFailed(error.message)
}
