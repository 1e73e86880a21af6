/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 2048*jp + 512*c0, 32, Kx + 64*T*h + 2048*jp + 16*c0, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 2048*jp + 512*c0 + 16, 32, Kx + 64*T*h + 2048*jp + 16*c0 + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    const int64_t row_8 = 64*T*h;
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0 = (-GN_INF_F32);
        float m_1 = (-GN_INF_F32);
        gn_f32x16 l_a_0 = gn_splat_f32x16(0.0f);
        gn_f32x16 l_a_1 = gn_splat_f32x16(0.0f);
        gn_f32x16 o[2][4];
        o[0][0] = gn_splat_f32x16(0.0f);
        o[0][1] = gn_splat_f32x16(0.0f);
        o[0][2] = gn_splat_f32x16(0.0f);
        o[0][3] = gn_splat_f32x16(0.0f);
        o[1][0] = gn_splat_f32x16(0.0f);
        o[1][1] = gn_splat_f32x16(0.0f);
        o[1][2] = gn_splat_f32x16(0.0f);
        o[1][3] = gn_splat_f32x16(0.0f);
        const _Bool s1 = 2*ir < T;
        const _Bool s2 = 2*ir + 1 < T;
        float m_c_0, m_c_1;
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            _Alignas(64) float p[64];
            gn_f32x16 s_0_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_0_1 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_1 = gn_splat_f32x16(0.0f);
            const int64_t row = 64*T*h + 64*gn_min_i64(T - 1, 2*ir);
            const int64_t row_2 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir + 1);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s3 = Q[row + c];
                const gn_f32x16 v4 = gn_load_f32x16(kt + 2048*j0 + 32*c);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s3), v4, s_0_0);
                const gn_f32x16 v6 = gn_load_f32x16(kt + 2048*j0 + 32*c + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s3), v6, s_0_1);
                const float s8 = Q[row_2 + c];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s8), v4, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s8), v6, s_1_1);
            }
            gn_f32x16 sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            gn_f32x16 sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            gn_f32x16 sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            gn_f32x16 sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            gn_f32x16 mb_a_0 = sv_0_0;
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            gn_f32x16 mb_a_1 = sv_1_0;
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            float mb_0 = gn_hmax_f32x16(mb_a_0);
            float mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s21 = m_0;
            const float s22 = gn_max_f32(s21, mb_0);
            m_0 = s22;
            const float s23 = gn_max_f32(s22, (-3.4028235e+38f));
            const float s24 = s21 - s23;
            m_c_0 = gn_exp_f32(s24);
            const float s26 = m_1;
            const float s27 = gn_max_f32(s26, mb_1);
            m_1 = s27;
            const float s28 = gn_max_f32(s27, (-3.4028235e+38f));
            const float s29 = s26 - s28;
            m_c_1 = gn_exp_f32(s29);
            const float s31 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v32 = sv_0_0 - gn_splat_f32x16(s31);
            const gn_f32x16 v33 = gn_exp_f32x16(v32);
            const gn_f32x16 v34 = s1 ? v33 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v34);
            const gn_f32x16 v35 = sv_0_1 - gn_splat_f32x16(s31);
            const gn_f32x16 v36 = gn_exp_f32x16(v35);
            const gn_f32x16 v37 = s1 ? v36 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v37);
            const float s38 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v39 = sv_1_0 - gn_splat_f32x16(s38);
            const gn_f32x16 v40 = gn_exp_f32x16(v39);
            const gn_f32x16 v41 = s2 ? v40 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v41);
            const gn_f32x16 v42 = sv_1_1 - gn_splat_f32x16(s38);
            const gn_f32x16 v43 = gn_exp_f32x16(v42);
            const gn_f32x16 v44 = s2 ? v43 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v44);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v34;
            l_a_0 = l_a_0 + v37;
            l_a_1 = l_a_1 + v41;
            l_a_1 = l_a_1 + v44;
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            const int64_t row_3 = 64*T*h + 2048*j0;
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                const float s53 = p[jq];
                const float s56 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v54 = gn_load_f32x16(V + row_3 + 64*jq + 16*eu);
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s53), v54, o[0][eu]);
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s56), v54, o[1][eu]);
                }
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            _Alignas(64) float p[64];
            gn_f32x16 s_0_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_0_1 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_0 = gn_splat_f32x16(0.0f);
            gn_f32x16 s_1_1 = gn_splat_f32x16(0.0f);
            const gn_b16 m58 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            const gn_b16 m59 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            const gn_b16 m60 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            const gn_b16 m61 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            const int64_t row_4 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir);
            const int64_t row_5 = 64*T*h + 64*gn_min_i64(T - 1, 2*ir + 1);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s62 = Q[row_4 + c];
                const gn_f32x16 v63 = gn_loadm_f32x16(kt, 2048*j0 + 32*c, m58);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s62), v63, s_0_0);
                const gn_f32x16 v65 = gn_loadm_f32x16(kt, 2048*j0 + 32*c + 16, m59);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s62), v65, s_0_1);
                const float s67 = Q[row_5 + c];
                const gn_f32x16 v68 = gn_loadm_f32x16(kt, 2048*j0 + 32*c, m60);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s67), v68, s_1_0);
                const gn_f32x16 v70 = gn_loadm_f32x16(kt, 2048*j0 + 32*c + 16, m61);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s67), v70, s_1_1);
            }
            gn_f32x16 sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            gn_f32x16 sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            gn_f32x16 sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            gn_f32x16 sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            const gn_f32x16 v76 = sv_0_0;
            gn_f32x16 mb_a_0 = gn_sel_f32x16(m58, v76, gn_splat_f32x16(-GN_INF_F32));
            const gn_f32x16 v78 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_0 = gn_sel_f32x16(m59, v78, mb_a_0);
            const gn_f32x16 v80 = sv_1_0;
            gn_f32x16 mb_a_1 = gn_sel_f32x16(m60, v80, gn_splat_f32x16(-GN_INF_F32));
            const gn_f32x16 v82 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_a_1 = gn_sel_f32x16(m61, v82, mb_a_1);
            float mb_0 = gn_hmax_f32x16(mb_a_0);
            float mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s86 = m_0;
            const float s87 = gn_max_f32(s86, mb_0);
            const _Bool s88 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s89 = s88 ? s87 : s86;
            m_0 = s89;
            const float s90 = gn_max_f32(s89, (-3.4028235e+38f));
            const float s91 = s86 - s90;
            m_c_0 = gn_exp_f32(s91);
            const float s93 = m_1;
            const float s94 = gn_max_f32(s93, mb_1);
            const _Bool s95 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s96 = s95 ? s94 : s93;
            m_1 = s96;
            const float s97 = gn_max_f32(s96, (-3.4028235e+38f));
            const float s98 = s93 - s97;
            m_c_1 = gn_exp_f32(s98);
            const float s100 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v101 = sv_0_0 - gn_splat_f32x16(s100);
            const gn_f32x16 v102 = gn_exp_f32x16(v101);
            const gn_f32x16 v103 = gn_sel_f32x16(m58, v102, gn_splat_f32x16(0.0f));
            const gn_f32x16 v104 = s1 ? v103 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v104);
            const gn_f32x16 v105 = sv_0_1 - gn_splat_f32x16(s100);
            const gn_f32x16 v106 = gn_exp_f32x16(v105);
            const gn_f32x16 v107 = gn_sel_f32x16(m59, v106, gn_splat_f32x16(0.0f));
            const gn_f32x16 v108 = s1 ? v107 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v108);
            const float s109 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v110 = sv_1_0 - gn_splat_f32x16(s109);
            const gn_f32x16 v111 = gn_exp_f32x16(v110);
            const gn_f32x16 v112 = gn_sel_f32x16(m60, v111, gn_splat_f32x16(0.0f));
            const gn_f32x16 v113 = s2 ? v112 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v113);
            const gn_f32x16 v114 = sv_1_1 - gn_splat_f32x16(s109);
            const gn_f32x16 v115 = gn_exp_f32x16(v114);
            const gn_f32x16 v116 = gn_sel_f32x16(m61, v115, gn_splat_f32x16(0.0f));
            const gn_f32x16 v117 = s2 ? v116 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v117);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v120 = l_a_0 + v104;
            l_a_0 = gn_sel_f32x16(m58, v120, l_a_0);
            const gn_f32x16 v122 = l_a_0 + v108;
            l_a_0 = gn_sel_f32x16(m59, v122, l_a_0);
            const gn_f32x16 v124 = l_a_1 + v113;
            l_a_1 = gn_sel_f32x16(m60, v124, l_a_1);
            const gn_f32x16 v126 = l_a_1 + v117;
            l_a_1 = gn_sel_f32x16(m61, v126, l_a_1);
            GN_UNROLLED(4)
            for (int64_t eu = 0; eu < 4; eu++) {
                o[0][eu] = o[0][eu] * gn_splat_f32x16(m_c_0);
                o[1][eu] = o[1][eu] * gn_splat_f32x16(m_c_1);
            }
            const int64_t row_6 = 64*T*h + 2048*j0;
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq++) {
                const float s130 = p[jq];
                const float s133 = p[jq + 32];
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v131 = gn_load_f32x16(V + row_6 + 64*jq + 16*eu);
                    o[0][eu] = gn_fma_f32x16(gn_splat_f32x16(s130), v131, o[0][eu]);
                    o[1][eu] = gn_fma_f32x16(gn_splat_f32x16(s133), v131, o[1][eu]);
                }
            }
            const int64_t row_7 = 64*T*h;
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s135 = p[jq];
                const _Bool s136 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                const float s140 = p[jq + 32];
                const _Bool s141 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                GN_UNROLLED(4)
                for (int64_t eu = 0; eu < 4; eu++) {
                    const gn_f32x16 v137 = gn_load_f32x16(V + row_7 + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 16*eu);
                    const gn_f32x16 v138 = gn_fma_f32x16(gn_splat_f32x16(s135), v137, o[0][eu]);
                    o[0][eu] = s136 ? v138 : o[0][eu];
                    const gn_f32x16 v142 = gn_load_f32x16(V + row_7 + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 16*eu);
                    const gn_f32x16 v143 = gn_fma_f32x16(gn_splat_f32x16(s140), v142, o[1][eu]);
                    o[1][eu] = s141 ? v143 : o[1][eu];
                }
            }
        }
        float l_0 = gn_hsum_f32x16(l_a_0);
        float l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v147 = o[0][0] / gn_splat_f32x16(l_0);
        const gn_f32x16 v148 = o[0][1] / gn_splat_f32x16(l_0);
        const gn_f32x16 v149 = o[0][2] / gn_splat_f32x16(l_0);
        const gn_f32x16 v150 = o[0][3] / gn_splat_f32x16(l_0);
        if (2*ir < T) {
            gn_store_f32x16(O + row_8 + 128*ir, v147);
            gn_store_f32x16(O + row_8 + 128*ir + 16, v148);
            gn_store_f32x16(O + row_8 + 128*ir + 32, v149);
            gn_store_f32x16(O + row_8 + 128*ir + 48, v150);
        }
        const gn_f32x16 v151 = o[1][0] / gn_splat_f32x16(l_1);
        const gn_f32x16 v152 = o[1][1] / gn_splat_f32x16(l_1);
        const gn_f32x16 v153 = o[1][2] / gn_splat_f32x16(l_1);
        const gn_f32x16 v154 = o[1][3] / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T) {
            gn_store_f32x16(O + row_8 + 128*ir + 64, v151);
            gn_store_f32x16(O + row_8 + 128*ir + 80, v152);
            gn_store_f32x16(O + row_8 + 128*ir + 96, v153);
            gn_store_f32x16(O + row_8 + 128*ir + 112, v154);
        }
    }
}
