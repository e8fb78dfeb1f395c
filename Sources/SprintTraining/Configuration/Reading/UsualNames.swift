/// What other trainers call the keys of a configuration, and what they have that takes another form here.
package enum UsualNames {
  /// Names with the same meaning.
  package struct Entry: Sendable {
    /// The whole key that has the meaning; nil if there is none.
    package let key: String?
    /// The section in which the names have the meaning; nil for all.
    package let section: String?
    package let names: [String]
    /// How the key differs from what the names stand for, as the rest of a sentence; without a key a whole sentence.
    let note: String?
    let remedy: ConfigurationRemedy?

    fileprivate init(
      _ key: String?, in section: String? = nil, _ names: String, note: String? = nil,
      remedy: ConfigurationRemedy? = nil
    ) {
      (self.key, self.section, self.note, self.remedy) = (key, section, note, remedy)
      self.names = names.split(separator: " ").map(String.init)
    }
  }

  package static let entries = training + model + data + output + elsewhere

  private static let byName = Dictionary(
    grouping: entries.flatMap { entry in entry.names.map { (name: plain($0), entry: entry) } }, by: \.name)

  /// Returns the entry of a name in a section; case, hyphens and underscores make no difference.
  static func entry(of name: String, in section: String) -> Entry? {
    let entries = (byName[plain(name)] ?? []).map(\.entry)
    return entries.first { $0.section == section } ?? entries.first { $0.section == nil }
  }

  /// Returns a name without what spellings differ in.
  private static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }

  private static let epochs = "which counts updates: epochs x images of the data / batch"

  private static let training = [
    Entry("stages[].learning_rate", "lr base_lr max_lr peak_lr init_lr adam_lr"),
    Entry(
      "stages[].batch", "batch_size bs global_batch_size train_batch_size total_batch_size effective_batch_size",
      note: "which counts the images of an update over all ranks"),
    Entry(
      "stages[].batch",
      "per_device_train_batch_size per_gpu_batch_size batch_size_per_gpu local_batch_size micro_batch_size batch_gpu",
      note: "which counts the images of an update over all ranks; `accumulate` splits them"),
    Entry(
      "stages[].accumulate",
      """
      gradient_accumulation_steps gradient_accumulation grad_accum grad_accum_steps grad_accumulation accumulation \
      accumulation_steps accumulate_grad_batches accum_iter accum_steps
      """, note: "which splits `batch` into as many parts and does not enlarge it"),
    Entry(
      "stages[].steps",
      """
      num_steps n_steps max_steps max_train_steps train_steps total_steps num_train_steps num_training_steps iters \
      iterations max_iters max_iterations num_iterations total_iterations total_iters updates
      """),
    Entry("stages[].steps", "epochs epoch num_epochs n_epochs max_epochs num_train_epochs", note: epochs),
    Entry(
      "stages[].steps", "duration kimg total_kimg max_images total_images",
      note: "which counts updates: images / batch"),
    Entry(
      "stages[].warmup",
      "warmup_steps num_warmup_steps lr_warmup_steps lr_warmup warmup_iters rampup lr_rampup linear_warmup"),
    Entry("stages[].warmup", "warmup_epochs lr_warmup_epochs", note: epochs),
    Entry("stages[].warmup", "warmup_ratio warmup_fraction", note: "which counts updates: ratio x steps"),
    Entry(
      "stages[].learning_rate_schedule", "lr_schedule lr_scheduler lr_scheduler_type lr_decay scheduler schedule",
      note: "which is constant, linear or cosine"),
    Entry(
      "stages[].final_rate", "min_lr lr_min end_lr lr_end final_lr eta_min min_lr_ratio",
      note: "a share of `learning_rate`"),
    Entry("stages[].ema", "ema_decay ema_rate ema_beta ema_momentum model_ema_decay use_ema ema_model"),
    Entry(
      "stages[].label_drop",
      """
      class_dropout_prob class_dropout label_dropout label_dropout_prob label_drop_prob label_drop_rate cfg_prob \
      cfg_dropout cond_drop_prob uncond_prob p_uncond
      """),
    Entry("stages[].path_drop", "path_drop_prob path_drop_rate path_dropout"),
    Entry(
      "stages[].drop.ratio", "drop_ratio token_drop token_drop_ratio token_drop_rate mask_ratio masking_ratio",
      note: "the share of tokens that skip the middle blocks"),
    Entry("stages[].plateau", "early_stopping early_stop early_stopping_patience"),
    Entry(nil, "betas adam_betas", note: "give `optimizer.beta1` and `optimizer.beta2`"),
    Entry("optimizer.beta1", "adam_beta1 b1 momentum"), Entry("optimizer.beta2", "adam_beta2 b2"),
    Entry("optimizer.epsilon", "eps adam_eps adam_epsilon"),
    Entry("optimizer.weight_decay", "wd adam_weight_decay l2"),
    Entry(
      "optimizer.clip",
      """
      grad_clip clip_grad gradient_clip gradient_clipping gradient_clip_val max_grad_norm max_norm grad_norm \
      clip_grad_norm grad_clip_norm grad_norm_clip clip_norm
      """),
    Entry(nil, in: "optimizer", "name type kind optimizer fused", note: adamW),
    Entry(nil, "optimizer_type optimizer_name optim opt", note: adamW),
  ]

  private static let adamW = "sprint trains with AdamW alone; leave it out"

  private static let model = [
    Entry("model.classes", "num_classes n_classes nb_classes num_class class_num label_dim"),
    Entry(
      "model.width", "hidden_size hidden_dim hidden embed_dim embedding_dim emb_dim d_model dim model_dim n_embd"),
    Entry("model.heads", "num_heads n_heads n_head nhead num_attention_heads attention_heads"),
    Entry(
      "model.depth", "num_layers n_layers n_layer layers num_hidden_layers num_blocks n_blocks",
      note: "three numbers: blocks of encoder, middle and decoder, e.g. [2, 8, 2]"),
    Entry("model.patch", "patch_size"),
    Entry("model.channels", "in_channels in_chans input_channels num_channels latent_channels z_channels out_channels"),
    Entry("model.side", "latent_size input_size sample_size latent_side"),
    Entry(
      "model.side", "image_size img_size im_size resolution image_resolution img_resolution",
      note: "that of a latent: 32 for 256 pixels behind an autoencoder that makes one place of 8 x 8 pixels"),
    Entry("model.size", in: "model", "name type arch variant", note: "S, B, L or XL; `patch` stands apart"),
    Entry("model.size", "model_size model_name model_type arch", note: "S, B, L or XL; `patch` stands apart"),
    Entry(
      "model.mlp_ratio", "ffn_ratio mlp_mult ff_mult ffn_dim mlp_dim intermediate_size", note: "a multiple of `width`"),
    Entry("model.rope_theta", "rope_base theta"), Entry("model.norm", "norm_type norm_layer"),
    Entry(
      nil, "qk_norm qknorm", note: "sprint always norms queries and keys, with `model.qk_norm_epsilon`; leave it out"),
    Entry(
      nil, "dropout dropout_prob attention_dropout attn_drop", note: "the network has none; leave it out"),
    Entry(
      nil, "prediction learn_sigma pred_type prediction_type",
      note: "the network always predicts the velocity; leave it out"),
    Entry("diffusion.path", "path_type interpolant"),
    Entry("diffusion.time", "time_sampling t_sampling timestep_sampling weighting weighting_scheme time_dist"),
    Entry("diffusion.time_shift", "shift shift_base timestep_shift flow_shift"),
    Entry("alignment.features", "enc_type encoder_type"), Entry("alignment.after_block", "encoder_depth align_depth"),
    Entry("alignment.weight", "proj_coeff repa_coeff repa_weight"), Entry("alignment.feature_width", "z_dims z_dim"),
    Entry("alignment.projector", "projector_dim proj_dim"),
    Entry("contrastive.weight", "cfm_coeff cfm_weight cfm_weighting"),
  ]

  private static let data = [
    Entry("data.train", in: "data", "path paths dir file files folder root name dataset", note: datasets),
    Entry(
      "data.train",
      """
      data_dir data_path data_root data_file dataset_path dataset_dir dataset dataset_name train_data train_dir \
      train_path train_file train_files train_data_dir latent_dir latents features_path
      """, note: datasets),
    Entry(
      "data.validation",
      "val valid val_data val_dir val_path eval_data test test_data holdout",
      note: datasets),
    Entry("data.flip", "hflip horizontal_flip random_flip random_horizontal_flip flip_prob mirror xflip"),
    Entry(
      nil,
      """
      num_workers workers n_workers num_data_workers dataloader_workers dataloader_num_workers loader_workers \
      prefetch_factor prefetch pin_memory persistent_workers shuffle drop_last
      """, note: "sprint draws samples at random and reads ahead by itself; leave it out"),
  ]

  private static let datasets = "a list of data sets, which `sprint import` makes"

  private static let output = [
    Entry(
      "checkpoint.interval",
      """
      save_every save_interval save_steps save_freq ckpt_every ckpt_interval ckpt_freq checkpoint_every \
      checkpoint_interval checkpoint_freq checkpointing_steps
      """),
    Entry(
      "checkpoint.keep",
      "save_total_limit checkpoints_total_limit max_checkpoints max_to_keep keep_last keep_last_n save_top_k"),
    Entry("log.interval", "log_every log_interval log_steps log_freq logging_steps print_freq print_every"),
    Entry("log.tensorboard", "use_tensorboard report_to"),
    Entry(nil, "wandb use_wandb wandb_project", note: "sprint writes the curves to the run's folder; leave it out"),
    Entry(
      "validation.interval", "eval_every eval_interval eval_steps eval_freq val_every val_interval validation_steps"),
    Entry("samples.interval", "sample_every sample_interval sample_freq sample_steps"),
    Entry("samples.steps", "num_sampling_steps sampling_steps num_inference_steps"),
    Entry("samples.scale", "cfg_scale guidance_scale cfg"),
    Entry("samples.guidance_interval", "cfg_interval interval_guidance"),
    Entry("samples.autoencoder", "vae vae_path autoencoder_path"),
  ]

  private static let elsewhere = [
    Entry("seed", "global_seed random_seed manual_seed"),
    Entry("threads", "num_threads n_threads nthreads cpu_threads omp_num_threads"),
    Entry("compute_budget", "flops flop_budget budget"),
    Entry(
      "precision", "mixed_precision bf16 fp16 use_bf16 use_fp16 dtype amp use_amp autocast",
      note: "which is float32 or bfloat16"),
    Entry(
      "memory.recompute",
      """
      gradient_checkpointing grad_checkpointing activation_checkpointing use_checkpoint checkpointing remat \
      use_gradient_checkpointing
      """, note: "which is none or blocks"),
    Entry(
      nil, "output_dir out_dir results_dir save_dir log_dir logging_dir run_dir exp_name run_name", remedy: .nameRun),
    Entry(nil, "resume resume_from resume_from_checkpoint resume_path resume_ckpt resume_step", remedy: .resume),
    Entry(
      nil, "init init_from init_weights pretrained pretrained_path pretrained_model load_from ckpt ckpt_path",
      remedy: .nameWeights),
    Entry(
      nil, "world_size num_processes nproc nproc_per_node num_nodes nodes gpus num_gpus ngpus devices device ranks",
      remedy: .startRanks),
    Entry(
      nil, "compile torch_compile use_compile tf32 allow_tf32 cudnn_benchmark", note: "sprint has none; leave it out"),
  ]
}
