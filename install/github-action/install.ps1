# Puts the released program into the job's temporary folder, after checking its hash, and that
# folder on the PATH of the steps that follow. The step of action.yml for Windows.
$ErrorActionPreference = 'Stop'

$release = $env:RELEASE
if (-not $release) {
    # A release has the tag of its version. A branch or a commit has none.
    if ($env:ACTION_REF -notlike 'v*') {
        Write-Output '::error title=git-credential-hf::use this action at the tag of a version (@v..), or say where a release is: with: release: ..'
        exit 1
    }
    $release = "$env:GITHUB_SERVER_URL/$env:ACTION_REPOSITORY/releases/download/$env:ACTION_REF"
}

$prefix = Join-Path $env:RUNNER_TEMP 'git-credential-hf-program'
& (Join-Path $PSScriptRoot '../install.ps1') -Release $release -Prefix $prefix -NoConfigure
if ($LASTEXITCODE) {
    Write-Output "::error title=git-credential-hf::the program could not be installed from $release"
    exit 1
}
Join-Path $prefix 'bin' | Out-File -Append -Encoding utf8 -FilePath $env:GITHUB_PATH
