<#
.SYNOPSIS
Installs git-credential-hf on Windows and configures git to use it.

.DESCRIPTION
Takes the released program, if there is one, after checking its hash; builds it from this clone
otherwise. Run over another version, it replaces the program; tokens and configuration stay.

.EXAMPLE
./install/install.ps1
.EXAMPLE
./install/install.ps1 -Release C:\Downloads\git-credential-hf -Login
#>
param(
    # The program goes to the folder bin in this one.
    [string]$Prefix = (Join-Path $env:LOCALAPPDATA 'Programs\git-credential-hf'),
    # A folder with the artefacts of a release, or its https address.
    [string]$Release = '',
    # Build it from this clone, whatever was released.
    [switch]$Build,
    # Leave git's configuration alone.
    [switch]$NoConfigure,
    # Then ask for a token and show what it may do.
    [switch]$Login
)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# Windows PowerShell 5.1 may still begin with older versions.
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$name = 'git-credential-hf'
$bin = Join-Path $Prefix 'bin'
$program = Join-Path $bin "$name.exe"
$root = if ($PSScriptRoot) { Split-Path -Parent $PSScriptRoot } else { '' }
$inClone = $root -and (Test-Path (Join-Path $root 'Cargo.toml'))

function Stop-Install([string]$Message, [string]$Help) {
    [Console]::Error.WriteLine("error: $Message")
    if ($Help) { [Console]::Error.WriteLine("  $Help") }
    exit 1
}

# A file of the release, into the scratch folder; false where it cannot be had.
function Get-ReleaseFile([string]$File) {
    $to = Join-Path $scratch $File
    try {
        if ($Release -match '^https://') {
            Invoke-WebRequest -UseBasicParsing -Uri "$($Release.TrimEnd('/'))/$File" -OutFile $to
        }
        elseif ($Release -match '://') {
            Stop-Install "a release is downloaded by https only, not from $Release"
        }
        else {
            Copy-Item -LiteralPath (Join-Path $Release $File) -Destination $to
        }
        return $true
    }
    catch { return $false }
}

# The released program, unpacked; nothing where there is none for this machine.
function Get-ReleasedProgram {
    if (-not (Get-ReleaseFile 'SHA256SUMS')) { return }
    $pattern = "^([0-9a-f]{64})  ($name-[0-9A-Za-z.+-]*-x86_64-pc-windows-gnu)\.zip$"
    $line = Get-Content (Join-Path $scratch 'SHA256SUMS') | Where-Object { $_ -cmatch $pattern } | Select-Object -First 1
    if (-not $line) { return }
    $line -cmatch $pattern | Out-Null
    $hash = $Matches[1]
    $folder = $Matches[2]
    Write-Host "installing $folder from $Release"
    if (-not (Get-ReleaseFile "$folder.zip")) { Stop-Install "$folder.zip could not be downloaded" 'try again' }
    $zip = Join-Path $scratch "$folder.zip"
    $found = (Get-FileHash -Algorithm SHA256 -LiteralPath $zip).Hash.ToLowerInvariant()
    if ($found -cne $hash) { Stop-Install "$folder.zip is not what was released: its SHA-256 is $found" 'nothing was installed; try again' }
    Expand-Archive -LiteralPath $zip -DestinationPath $scratch
    Join-Path (Join-Path $scratch $folder) "$name.exe"
}

function Get-BuiltProgram {
    if (-not $inClone) { Stop-Install "no release to install, and no clone of $name to build" 'name one: -Release URL' }
    if (-not (Get-Command cargo -ErrorAction SilentlyContinue)) { Stop-Install 'cargo was not found' 'install Rust: winget install Rustlang.Rustup' }
    Write-Host "building $name in $root"
    Push-Location $root
    try { $messages = & cargo build --release --locked --bin $name '--message-format=json-render-diagnostics' }
    finally { Pop-Location }
    if ($LASTEXITCODE -ne 0) { Stop-Install 'the build failed, nothing was installed' }
    $messages | ForEach-Object { ($_ | ConvertFrom-Json).executable } | Where-Object { $_ } | Select-Object -Last 1
}

if (-not (Get-Command git -ErrorAction SilentlyContinue)) { Stop-Install 'git was not found' 'install it: winget install Git.Git' }

$scratch = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory -Path $scratch | Out-Null
try {
    $built = $null
    if ($Release -and -not $Build) {
        $built = Get-ReleasedProgram
        if (-not $built) { Stop-Install "there is no release for this machine at $Release" 'build it from a clone: ./install/install.ps1 -Build' }
    }
    if (-not $built) { $built = Get-BuiltProgram }

    New-Item -ItemType Directory -Force -Path $bin | Out-Null
    # A program that git runs right now cannot be overwritten, but it can be moved out of the way.
    $old = "$program.old"
    Remove-Item -Force -ErrorAction SilentlyContinue -LiteralPath $old
    if (Test-Path -LiteralPath $program) { Move-Item -Force -LiteralPath $program -Destination $old }
    try { Copy-Item -LiteralPath $built -Destination $program }
    catch {
        if (Test-Path -LiteralPath $old) { Move-Item -Force -LiteralPath $old -Destination $program }
        throw
    }
    Remove-Item -Force -ErrorAction SilentlyContinue -LiteralPath $old
    Write-Host "installed $program"
}
finally { Remove-Item -Recurse -Force -LiteralPath $scratch }

if (-not $NoConfigure) {
    # It offers a login on a terminal, which -Login makes anyway.
    if ($Login) { $null | & $program configure } else { & $program configure }
    if ($LASTEXITCODE -ne 0) { Stop-Install "$name is installed, but configuring git failed" "try again: & '$program' configure" }
}
if (($env:Path -split ';') -notcontains $bin) {
    Write-Host "note: $bin is not on PATH. git finds the helper all the same; to type 'git credential-hf', run:"
    Write-Host "  [Environment]::SetEnvironmentVariable('Path', [Environment]::GetEnvironmentVariable('Path', 'User') + ';$bin', 'User')"
}
if ($Login) {
    & $program login
    exit $LASTEXITCODE
}
Write-Host "next: git credential-hf login NAME       # NAME is yours to choose, such as work"
