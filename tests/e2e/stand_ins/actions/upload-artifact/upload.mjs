// Replaces actions/upload-artifact: an artifact is a folder in $E2E_ARTIFACTS.
import * as core from '@actions/core'
import * as glob from '@actions/glob'
import fs from 'node:fs'
import path from 'node:path'

const flag = name => core.getInput(name) === 'true'

// Paths inside an artifact start at the folder that is searched, or at what all of them have in common.
async function findFiles(patterns) {
  const options = {implicitDescendants: true, excludeHiddenFiles: !flag('include-hidden-files')}
  const globber = await glob.create(patterns, options)
  const files = (await globber.glob()).filter(file => !fs.statSync(file).isDirectory())
  const [first, ...others] = globber.getSearchPaths().map(searched => searched.split(path.sep))
  if (others.length > 0) {
    const end = first.findIndex((part, index) => others.some(other => other[index] !== part))
    return {files, root: path.join('/', ...first.slice(0, end < 0 ? first.length : end))}
  }
  const root = first.join(path.sep)
  return {files, root: files.length === 1 && files[0] === root ? path.dirname(root) : root}
}

async function upload() {
  const name = core.getInput('name') || 'artifact'
  if (/[":<>|*?\r\n\\/]/.test(name)) throw new Error(`The artifact name is not valid: ${name}`)
  const {files, root} = await findFiles(core.getInput('path', {required: true}))
  if (files.length === 0) {
    const message = `No files were found with the provided path: ${core.getInput('path')}`
    if (core.getInput('if-no-files-found') === 'error') throw new Error(message)
    return core.warning(message)
  }
  const artifact = path.join(process.env.E2E_ARTIFACTS, name)
  if (flag('overwrite')) fs.rmSync(artifact, {recursive: true, force: true})
  if (fs.existsSync(artifact)) throw new Error('(409) Conflict: an artifact with this name already exists on the workflow run')
  fs.mkdirSync(artifact)
  for (const file of files) {
    const inside = path.join(artifact, path.relative(root, file))
    fs.mkdirSync(path.dirname(inside), {recursive: true})
    fs.copyFileSync(file, inside)
    fs.chmodSync(inside, 0o644)
  }
  core.info(`Artifact ${name} has been uploaded: ${files.length} files`)
}

upload().catch(error => core.setFailed(error.message))
